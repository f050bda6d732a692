//! How many slips of the fingers two names are apart.

use alloc::vec::Vec;

/// Letters left out, put in, exchanged, or swapped with their neighbour: so many, if no more than `most`.
pub(super) fn distance(a: &str, b: &str, most: usize) -> Option<usize> {
    if a.len().abs_diff(b.len()) > most {
        return None;
    }
    // Three rows of the table: the one before the last is needed for swaps.
    let mut row: Vec<usize> = (0..=b.len()).collect();
    let mut last: Vec<usize> = Vec::new();
    let mut before = None;
    for (at, x) in a.bytes().enumerate() {
        let before_last = core::mem::replace(&mut last, row);
        let mut next = Vec::with_capacity(last.len());
        next.push(at.saturating_add(1));
        let mut left = None;
        let pairs = last.windows(2).zip(b.bytes()).enumerate();
        for (column, (above, y)) in pairs {
            let [corner, up] = above else { continue };
            let beside = next.last().copied().unwrap_or(usize::MAX);
            let mut least = corner.saturating_add(usize::from(x != y));
            least = least.min(up.saturating_add(1)).min(beside.saturating_add(1));
            if before == Some(y)
                && left == Some(x)
                && let Some(swapped) = column.checked_sub(1).and_then(|at| before_last.get(at))
            {
                least = least.min(swapped.saturating_add(1));
            }
            next.push(least);
            left = Some(y);
        }
        before = Some(x);
        row = next;
    }
    row.last().copied().filter(|distance| *distance <= most)
}
