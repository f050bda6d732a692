//! A round of asking for all that an account has: what was asked, what the stream said meanwhile, and which
//! lists were read in pages.

use alloc::vec::Vec;

use super::Change;
use crate::query::{PageNumber, Query};

/// What is known so far of a round.
#[derive(Clone, Debug)]
pub(super) struct Round {
    /// Questions without an answer.
    pub(super) open: usize,
    /// What the stream said since the first question.
    pub(super) heard: Vec<Change>,
    /// Pages asked for.
    pub(super) pages: u32,
    /// Fills that were not known.
    pub(super) new_fills: u32,
    orders: Reading,
    stop_orders: Reading,
}

/// A list that comes in pages. When one of its things ends, the rows behind it move up, and one may move from a
/// page that was not read yet to one that was.
#[derive(Clone, Copy, Default, Debug)]
struct Reading {
    /// It has more than one page.
    is_paged: bool,
    /// One of its things has ended since its first page was asked for.
    has_ended: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum List {
    Orders,
    StopOrders,
}

/// Rows of a page; the exchange's most.
const PAGE: u16 = 1000;

impl Round {
    /// The first pages of both lists are among the questions.
    pub(super) fn new(open: usize) -> Self {
        let (orders, stop_orders) = Default::default();
        Self { open, heard: Vec::new(), pages: 2, new_fills: 0, orders, stop_orders }
    }

    /// The page to be asked for next.
    pub(super) fn turn_page(
        &mut self,
        list: List,
        number: Option<u64>,
        total: Option<u64>,
    ) -> Option<u64> {
        let number = number.unwrap_or(1);
        let has_more = total.is_some_and(|pages| number < pages);
        self.reading(list).is_paged |= has_more;
        has_more.then(|| number.saturating_add(1))
    }

    /// Notes what the stream says. True if a list has to be read once more for it.
    pub(super) fn note(&mut self, change: &Change) -> bool {
        let list = match change {
            Change::Order { is_over: true, .. } => List::Orders,
            Change::StopOrder { is_over: true, .. } => List::StopOrders,
            Change::Order { .. }
            | Change::StopOrder { .. }
            | Change::Position(_)
            | Change::Balance(_) => return false,
        };
        let reading = self.reading(list);
        reading.has_ended = true;
        reading.is_paged
    }

    /// A list of which a row may have been passed over. Each is told once.
    pub(super) fn take_moved(&mut self) -> Option<List> {
        let lists = [List::Orders, List::StopOrders];
        lists.into_iter().find(|list| {
            let reading = self.reading(*list);
            let has_moved = reading.is_paged && reading.has_ended;
            if has_moved {
                *reading = Reading::default();
            }
            has_moved
        })
    }

    /// Whether a list has to be read once more as soon as one of its things ends.
    pub(super) const fn is_paged(&self) -> bool {
        self.orders.is_paged || self.stop_orders.is_paged
    }

    const fn reading(&mut self, list: List) -> &mut Reading {
        match list {
            List::Orders => &mut self.orders,
            List::StopOrders => &mut self.stop_orders,
        }
    }
}

impl List {
    pub(super) const fn page(self, number: u32) -> Query {
        let page = PageNumber { number: Some(number), size: Some(PAGE) };
        match self {
            Self::Orders => Query::Orders { symbol: None, page },
            Self::StopOrders => Query::StopOrders { symbol: None, page },
        }
    }
}
