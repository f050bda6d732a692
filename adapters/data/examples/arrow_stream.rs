//! Trades as an Arrow stream on stdout, a batch a second: what polars, pandas, DuckDB or R read as they would a file.
//!
//! ```sh
//! cargo run -p kucoin-futures-data --example arrow_stream -- 60 XBTUSDTM ETHUSDTM \
//!     | python -c 'import sys, polars; print(polars.read_ipc_stream(sys.stdin.buffer))'
//! ```
//!
//! The first argument is for how many seconds; one that begins with `http` is another exchange, such as a `kcf sim`.

use std::collections::BTreeMap;
use std::env;
use std::error::Error;
use std::io::{self, BufWriter};
use std::time::Duration;

use arrow_ipc::writer::StreamWriter;
use kucoin_futures_blocking::{Feed, Update};
use kucoin_futures_data::batch::{Table, TableBuilder};
use kucoin_futures_host::{Next, unix_now};
use kucoin_futures_proto::{Channel, Config, Event, Symbol, TopicEvent, TopicId};

fn main() -> Result<(), Box<dyn Error>> {
    let seconds = env::args().nth(1).ok_or("for how many seconds?")?.parse()?;
    let (urls, symbols): (Vec<_>, Vec<_>) =
        env::args().skip(2).partition(|arg| arg.starts_with("http"));
    let config =
        urls.first().map_or_else(|| Ok(Config::default()), |url| Config::with_rest(url))?;
    let mut feed = Feed::new(config)?;
    let mut topics = BTreeMap::new();
    for symbol in symbols {
        let symbol = symbol.parse()?;
        topics.insert(feed.subscribe(Channel::execution(symbol))?, symbol);
    }

    let mut trades = TableBuilder::new(Table::Trades);
    let mut out = StreamWriter::try_new(BufWriter::new(io::stdout()), &trades.schema())?;
    let clock = feed.clock();
    let end = clock.now() + Duration::from_secs(seconds);
    let mut due = clock.now();
    while clock.now() < end {
        match feed.next_within(Duration::from_millis(100)) {
            Next::Update(update) => take(&mut trades, &topics, &update),
            Next::Quiet => {}
            Next::Ended => break,
        }
        if due <= clock.now() {
            due = clock.now() + Duration::from_secs(1);
            out.write(&trades.finish())?;
        }
    }
    out.write(&trades.finish())?;
    out.finish()?;
    Ok(())
}

fn take(trades: &mut TableBuilder, topics: &BTreeMap<TopicId, Symbol>, update: &Update<'_>) {
    match update {
        Update::Push(push) => {
            let symbol = push.topic().and_then(|topic| topics.get(&topic));
            match (symbol, push.decode()) {
                (Some(symbol), Ok(message)) => {
                    trades.push(*symbol, unix_now(), &message);
                }
                // A trade that cannot be read is one that is missing.
                (Some(symbol), Err(_)) => trades.on_may_have_missed(*symbol),
                (None, _) => {}
            }
        }
        Update::State(Event::Topic(topic, TopicEvent::MayHaveMissed)) => {
            topics.get(topic).into_iter().for_each(|symbol| trades.on_may_have_missed(*symbol));
        }
        Update::State(_) | Update::Book(_) => {}
    }
}
