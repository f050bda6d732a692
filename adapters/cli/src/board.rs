//! A row for each contract: rewritten in its place on a terminal, a line for each message anywhere else.

use std::collections::BTreeMap;
use std::time::Duration;

use kucoin_futures_proto::Instant;

use crate::exit::Failure;
use crate::follow::Ctx;
use crate::out::DIM;

/// People read at most so many changes a second.
const PAUSE: Duration = Duration::from_millis(250);

pub(crate) struct Board {
    header: &'static str,
    /// By what they are sorted: the name of a topic's contract, or of the topic, and maybe a blank and more.
    rows: BTreeMap<String, String>,
    drawn: Option<Instant>,
    changed: bool,
    /// Of what is stale, as it was drawn.
    stale: u64,
}

impl Board {
    pub(crate) const fn new(header: &'static str) -> Self {
        Self { header, rows: BTreeMap::new(), drawn: None, changed: false, stale: 0 }
    }

    /// A row as it is now.
    pub(crate) fn show(&mut self, cx: &mut Ctx, key: &str, row: String) -> Result<(), Failure> {
        if !cx.out.has_table() {
            return Ok(cx.out.line(format_args!("{row}"))?);
        }
        match self.rows.get_mut(key) {
            Some(old) => *old = row,
            None => drop(self.rows.insert(key.to_owned(), row)),
        }
        self.changed = true;
        Ok(())
    }

    /// To be called when nothing more has come for now; gives how long there is to wait for the next time.
    pub(crate) fn rest(&mut self, cx: &mut Ctx) -> Result<Option<Duration>, Failure> {
        if !self.changed && self.stale == cx.stale_changes() {
            return Ok(None);
        }
        let since = self.drawn.map_or(PAUSE, |drawn| cx.now.since(drawn));
        if since < PAUSE {
            return Ok(Some(PAUSE - since));
        }
        let header = format!("{DIM}{}{DIM:#}", self.header);
        let rows = self.rows.iter().map(|(key, row)| {
            let name = key.split(' ').next().unwrap_or_default();
            if cx.is_stale(name) { format!("{DIM}{row}  stale{DIM:#}") } else { row.clone() }
        });
        let rows = std::iter::once(header).chain(rows).collect();
        cx.out.set_table(rows)?;
        (self.drawn, self.changed, self.stale) = (Some(cx.now), false, cx.stale_changes());
        Ok(None)
    }
}
