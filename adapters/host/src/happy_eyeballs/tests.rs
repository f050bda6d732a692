use super::*;

fn v4(last: u8) -> SocketAddr {
    ([192, 0, 2, last], 443).into()
}

fn v6(last: u16) -> SocketAddr {
    ([0x2001, 0xdb8, 0, 0, 0, 0, 0, last], 443).into()
}

fn ms(ms: u64) -> Instant {
    Instant::ZERO + Duration::from_millis(ms)
}

fn refused() -> io::Error {
    ErrorKind::ConnectionRefused.into()
}

/// Starts whatever may start by then, and says what and when, in milliseconds.
fn starts(race: &mut Race, from: u64, until: u64) -> Vec<(u64, SocketAddr)> {
    let (mut now, mut started) = (ms(from), Vec::new());
    while now <= ms(until) {
        match race.next(now) {
            Move::Start(address) => started.push((now.as_nanos() / 1_000_000, address)),
            Move::Wait(Some(at)) => {
                assert!(at > now, "a wait that is over already");
                now = at;
            }
            Move::Wait(None) | Move::Over(_) => break,
        }
    }
    started
}

#[test]
fn the_families_take_turns_beginning_with_the_resolvers_first() {
    let order = |addresses: &[SocketAddr]| FailedAddresses::default().order(addresses);
    assert_eq!(order(&[v6(1), v6(2), v6(3), v4(1)]), [v6(1), v4(1), v6(2), v6(3)]);
    assert_eq!(order(&[v4(1), v6(1), v6(2), v6(3)]), [v4(1), v6(1), v6(2), v6(3)]);
    assert_eq!(order(&[v4(1), v4(2), v4(1), v6(1), v6(1)]), [v4(1), v6(1), v4(2)], "each once");
    assert_eq!(order(&[]), []);
}

#[test]
fn a_connect_begins_a_tenth_of_a_second_after_the_last_one() {
    let addresses = [v4(1), v4(2), v4(3)];
    let mut race = Race::new(ms(1000), &addresses, &FailedAddresses::default());
    let expected = [(1000, v4(1)), (1100, v4(2)), (1200, v4(3))];
    assert_eq!(starts(&mut race, 1000, 5000), expected);
    assert!(matches!(race.next(ms(9000)), Move::Wait(None)), "all are under way");
}

#[test]
fn after_a_failure_the_next_connect_begins_at_once() {
    let mut race = Race::new(ms(0), &[v4(1), v4(2), v4(3)], &FailedAddresses::default());
    assert_eq!(starts(&mut race, 0, 99), [(0, v4(1))]);
    race.failed(v4(1), refused());
    assert_eq!(starts(&mut race, 7, 106), [(7, v4(2))]);
    assert_eq!(starts(&mut race, 107, 107), [(107, v4(3))]);
}

#[test]
fn when_all_have_failed_the_last_failure_is_told() {
    let mut race = Race::new(ms(0), &[v4(1), v4(2)], &FailedAddresses::default());
    starts(&mut race, 0, 100);
    race.failed(v4(2), ErrorKind::HostUnreachable.into());
    assert!(matches!(race.next(ms(200)), Move::Wait(None)), "one is under way");
    race.failed(v4(1), refused());
    assert!(matches!(race.next(ms(200)), Move::Over(error) if error.kind() == refused().kind()));
    let mut nowhere = Race::new(ms(0), &[], &FailedAddresses::default());
    assert!(matches!(nowhere.next(ms(0)), Move::Over(_)));
}

#[test]
fn what_failed_or_lost_last_time_is_tried_last_next_time() {
    let (memory, all) = (FailedAddresses::default(), [v4(1), v4(2), v4(3), v4(4), v4(5)]);
    let mut race = Race::new(ms(0), &all, &memory);
    starts(&mut race, 0, 300);
    race.failed(v4(2), refused());
    starts(&mut race, 310, 320);
    race.won(v4(3));
    // The fourth and the fifth began after the winner: nothing is known of them.
    assert_eq!(memory.order(&all), [v4(3), v4(4), v4(5), v4(2), v4(1)]);
    // It did not answer, then it did.
    let mut race = Race::new(ms(0), &[v4(1)], &memory);
    starts(&mut race, 0, 0);
    race.won(v4(1));
    assert_eq!(memory.order(&all), [v4(1), v4(3), v4(4), v4(5), v4(2)]);
}

#[test]
fn a_race_that_is_given_up_remembers_what_did_not_answer() {
    let memory = FailedAddresses::default();
    let mut race = Race::new(ms(0), &[v4(1), v4(2), v4(3)], &memory);
    starts(&mut race, 0, 150);
    drop(race);
    assert_eq!(memory.order(&[v4(1), v4(2), v4(3)]), [v4(3), v4(1), v4(2)]);
}

#[test]
fn the_memory_of_failures_is_bounded() {
    let memory = FailedAddresses::default();
    (0..200).for_each(|last| memory.remember(v6(last)));
    memory.with(|failed| {
        assert_eq!(failed.len(), MAX_REMEMBERED);
        assert_eq!(failed.back(), Some(&v6(199)), "the youngest are kept");
    });
    (0..200).for_each(|_| memory.remember(v6(199)));
    memory.with(|failed| assert_eq!(failed.len(), MAX_REMEMBERED, "each once"));
}
