//! Many numbers in one line of text.

/// From the lowest to the highest.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// Where something may be missing.
const GAP: char = '·';

/// A bar for each number, as high as it stands between the lowest and the highest; a dot where there is none.
pub(super) fn line(numbers: impl Iterator<Item = Option<f64>> + Clone) -> String {
    let known = numbers.clone().flatten();
    let lowest = known.clone().fold(f64::INFINITY, f64::min);
    let highest = known.fold(f64::NEG_INFINITY, f64::max);
    let bar = |number: f64| {
        let part = if highest > lowest { (number - lowest) / (highest - lowest) } else { 0.5 };
        BARS.get((part * 7.0).round() as usize).copied().unwrap_or(GAP)
    };
    numbers.map(|number| number.map_or(GAP, bar)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_is_low_the_highest_is_high_and_a_gap_is_a_dot() {
        let shown = |numbers: &[Option<f64>]| line(numbers.iter().copied());
        assert_eq!(shown(&[Some(1.0), Some(8.0), None, Some(4.5)]), "▁█·▅");
        assert_eq!(shown(&[Some(5.0), Some(5.0)]), "▅▅");
        assert_eq!(shown(&[]), "");
        assert_eq!(shown(&[None, Some(1.0)]), "·▅");
    }
}
