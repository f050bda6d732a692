//! Peers that break every rule, over real sockets: each ends in its class, in time, at a price that is known,
//! and once the peer is good the book is live again.
//!
//! ```text
//!  this process                               another one, of the same program
//!  exchange <── gate <── REST, sockets ────── visitor: a feed, and a count of what it allocates
//!                └─ one row of the table      └─ tells the class, and the book
//! ```
//!
//! The table is in the modules `of_*`: [`Row`] says what stands in it.

mod crowd;
mod frames;
mod gate;
mod guest;
mod io;
mod of_rest;
mod of_stream;
mod of_tls;
mod of_upgrade;
mod row;
mod visit;
mod visitor;
mod visitors;

use libtest_mimic::Trial;

pub use self::crowd::{Crowd, hostile_crowd};
use self::row::{Place, Row};
use self::visit::Visit;
use self::visitors::{VISITOR, Visitors};
use crate::rig::Wire;

const RUNTIMES: [&str; 2] = ["blocking", "smol"];

/// The whole table.
fn rows() -> Vec<&'static Row> {
    let tables = [
        of_rest::TOKENS,
        of_rest::SNAPSHOTS,
        of_upgrade::UPGRADES,
        of_stream::SIZES,
        of_stream::RULES,
        of_stream::ENDINGS,
        of_stream::CHATTER,
    ];
    let doors = of_tls::CERTIFICATES.iter().chain(of_tls::GREETINGS).flatten();
    tables.into_iter().flatten().chain(doors).collect()
}

/// Makes this process a visitor, if its arguments say so, and ends it then.
///
/// The program counts what it allocates: its global allocator is `PeakAlloc`.
pub fn visit_if_asked() {
    if std::env::args().nth(1).as_deref() == Some(VISITOR) {
        visitor::run();
        std::process::exit(0);
    }
}

/// What `examples/hostile.rs` does with a thousand.
fn sixty_at_a_time() -> Result<(), libtest_mimic::Failed> {
    let crowd = hostile_crowd(60, 12, 7);
    println!("{crowd}");
    if crowd.wrong.is_empty() { Ok(()) } else { Err(crowd.to_string().into()) }
}

/// A test for each row on each wire and runtime; REST, which both runtimes have in common, on one wire each.
#[must_use]
pub fn hostile_trials() -> Vec<Trial> {
    let on_wires = |row: &'static Row| row.wires.iter().map(move |&wire| (row, wire));
    let all = rows().into_iter().flat_map(on_wires);
    let all = all.flat_map(|(row, wire)| RUNTIMES.map(|runtime| (row, wire, runtime)));
    let all = all.filter(|(row, wire, runtime)| {
        !matches!(row.place, Place::Token | Place::Snapshot)
            || (*wire == Wire::Plain) == (*runtime == "blocking")
    });
    let trial = |(row, wire, runtime): (&'static Row, Wire, &'static str)| {
        Trial::test(format!("hostile::{runtime}::{wire}::{}", row.name), move || {
            let visitors = Visitors::new();
            let Some(visit) = Visit::make(row, wire, runtime, &visitors) else {
                return Err(format!("it hangs: {:?} was due", row.class).into());
            };
            println!("{}: {visit}", row.name);
            match visit.wrong(row, true) {
                Some(wrong) => Err(format!("{wrong:?}: {visit}; {:?} was due", row.class).into()),
                None => Ok(()),
            }
        })
    };
    all.map(trial).chain([Trial::test("hostile::sixty_at_a_time", sixty_at_a_time)]).collect()
}
