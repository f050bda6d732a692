//! A client that has run for a day holds no more than one that has run for an hour.

#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs, reason = "tests")]

use std::time::Duration;

use kucoin_futures_sim::soak::DAY;
use kucoin_futures_sim::{Scenario, World};

const MINUTE: Duration = Duration::from_secs(60);

/// What a copy of the client takes: whatever it holds, but not the room that it keeps for later.
fn held(world: &World) -> u64 {
    let copied = allocation_counter::measure(|| drop(world.client().clone()));
    copied.bytes_total
}

/// What is held at the full minutes of an hour, on the average: books have now more levels, now fewer.
fn held_over_an_hour(world: &mut World) -> u64 {
    let minutes = (0..60).map(|_| {
        world.run_for(MINUTE).unwrap();
        held(world)
    });
    minutes.sum::<u64>() / 60
}

#[test]
fn a_client_holds_no_more_after_a_day_than_after_an_hour() {
    let mut world = DAY.parse::<Scenario>().unwrap().world().unwrap();
    let first = held_over_an_hour(&mut world);
    // A busy hour has filled what is filled; a day at that rate would say no more and take minutes.
    world.exchange_mut().set_rate(2.0);
    world.run_for(MINUTE * 60 * 22).unwrap();
    let last = held_over_an_hour(&mut world);
    println!("{} bytes a book in the first hour, {} in the last", first / 2, last / 2);
    assert!(world.client().stats().deltas > 300_000 && world.client().stats().reconnects > 50);
    // A book keeps the room of the most pages that it ever had, which has a bound, and comes near it
    // within a few hours: about a tenth. What is never forgotten would be many times as much.
    assert!(last <= first + first / 8, "{first} bytes in the first hour, {last} in the last");
}
