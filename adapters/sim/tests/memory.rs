//! A client that has run for a day holds no more than one that has run for an hour.

#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs, reason = "tests")]

use kucoin_futures_proto::Client;
use kucoin_futures_sim::soak::held_over_a_day;

/// What a copy of the client takes: whatever it holds, but not the room that it keeps for later.
fn held(client: &Client) -> u64 {
    allocation_counter::measure(|| drop(client.clone())).bytes_total
}

#[test]
fn a_client_holds_no_more_after_a_day_than_after_an_hour() {
    let [first, last] = held_over_a_day(held).unwrap();
    println!("{} bytes a book in the first hour, {} in the last", first / 2, last / 2);
    // A book keeps the room of the most pages that it ever had, which has a bound, and comes near it
    // within a few hours: about a tenth. What is never forgotten would be many times as much.
    assert!(last <= first + first / 8, "{first} bytes in the first hour, {last} in the last");
}

/// The day is worth what happens in it.
#[test]
fn a_day_has_deltas_trades_and_reconnects() {
    let seen = std::cell::Cell::new((0, 0, 0));
    held_over_a_day(|client| {
        let stats = client.stats();
        seen.set((stats.deltas, stats.pushes, stats.reconnects));
        0
    })
    .unwrap();
    let (deltas, pushes, reconnects) = seen.get();
    assert!(deltas > 300_000 && pushes > 50_000 && reconnects > 50, "{:?}", seen.get());
}
