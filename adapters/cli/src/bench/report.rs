//! Medians, ratios, and what they say.

use serde_json::json;
use std::io;

use crate::args::BenchArgs;
use crate::bench::readers::{Reader, Reading, Settings};
use crate::out::{DIM, GOOD, Out};

pub(super) struct Report<'a> {
    args: &'a BenchArgs,
    frame_bytes: f64,
    readings: Vec<(Reader, Reading)>,
}

/// The medians of a reader.
#[derive(Clone, Copy)]
struct Row {
    reader: Reader,
    per_second: f64,
    cpu_ns: f64,
}

impl<'a> Report<'a> {
    pub(super) const fn new(args: &'a BenchArgs, frame_bytes: f64) -> Self {
        Self { args, frame_bytes, readings: Vec::new() }
    }

    pub(super) fn add(&mut self, reader: Reader, reading: Reading) {
        self.readings.push((reader, reading));
    }

    pub(super) fn json(&self, out: &mut Out) -> io::Result<()> {
        for (row, bare) in self.rows() {
            out.json(&json!({
                "type": "reader",
                "reader": row.reader.kind().name(),
                "settings": row.reader.settings().map(Settings::name),
                "messages_per_second": row.per_second.round(),
                "cpu_ns_per_message": hundredths(row.cpu_ns),
                "over_bare": bare.map(|bare| hundredths(row.cpu_ns / bare)),
            }))?;
        }
        let args = self.args;
        out.json(&json!({
            "type": "bench",
            "messages": args.frames,
            "per_write": args.per_write,
            "symbols": args.symbols,
            "rounds": args.rounds,
            "bytes_per_message": hundredths(self.frame_bytes),
            // Whatever differs ends the run before this.
            "books_equal": true,
        }))
    }

    pub(super) fn print(&self, out: &mut Out) -> io::Result<()> {
        let args = self.args;
        out.line(format_args!(
            "{} messages of {:.0} bytes, {} a write, {} books; medians of {} rounds",
            args.frames, self.frame_bytes, args.per_write, args.symbols, args.rounds
        ))?;
        let (head, messages, cpu) = ("reader", "messages/s", "CPU ns/message");
        out.line(format_args!("{DIM}{head:<36}{messages:>12}{cpu:>16}   over bare{DIM:#}"))?;
        for (row, bare) in self.rows() {
            let name = row.reader.kind().name();
            let name = row
                .reader
                .settings()
                .map_or_else(|| name.into(), |s| format!("{name}, {} settings", s.name()));
            let (per_second, cpu) = (row.per_second, row.cpu_ns);
            let over = bare.map_or_else(String::new, |bare| match row.reader.settings() {
                Some(_) => "1".into(),
                None => format!("{:.2}: {:.0} ns more", cpu / bare, cpu - bare),
            });
            out.line(format_args!("{name:<36}{per_second:>12.0}{cpu:>16.1}   {over}"))?;
        }
        out.line(format_args!(
            "{DIM}what is more is the core and its adapter: decoding, books, and telling of each \
             change{DIM:#}"
        ))?;
        out.line(format_args!("{GOOD}every book is the exchange's{GOOD:#}"))
    }

    /// Those who read, each with what the bare library below it takes, if that was measured. Of two
    /// bare ones, the settings that cost less count.
    fn rows(&self) -> impl Iterator<Item = (Row, Option<f64>)> + '_ {
        let cheapest = |reader: fn(Settings) -> Reader| {
            let rows = [Settings::Ours, Settings::Default].map(|s| self.row(reader(s)));
            rows.into_iter().flatten().min_by(|a, b| a.cpu_ns.total_cmp(&b.cpu_ns))
        };
        let pairs = [
            (cheapest(Reader::Tungstenite), self.row(Reader::Blocking)),
            (cheapest(Reader::AsyncTungstenite), self.row(Reader::Smol)),
        ];
        pairs.into_iter().flat_map(|(bare, feed)| {
            let cost = bare.map(|bare| bare.cpu_ns);
            [bare, feed].into_iter().flatten().map(move |row| (row, cost))
        })
    }

    fn row(&self, reader: Reader) -> Option<Row> {
        let of = |value: fn(&Reading) -> f64| {
            let mine = self.readings.iter().filter(|(whose, _)| *whose == reader);
            median(mine.map(|(_, reading)| value(reading)).collect())
        };
        let frames = self.args.frames as f64;
        let wall = of(|reading| reading.wall.as_secs_f64())?;
        let cpu = of(|reading| reading.cpu.as_secs_f64())?;
        Some(Row { reader, per_second: frames / wall, cpu_ns: cpu * 1e9 / frames })
    }
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let (low, high) = (values.len().checked_sub(1)? / 2, values.len() / 2);
    Some((values.get(low)? + values.get(high)?) / 2.0)
}

fn hundredths(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_lies_in_the_middle() {
        assert_eq!(median(vec![]), None);
        assert_eq!(median(vec![3.0, 1.0, 9.0]), Some(3.0));
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), Some(2.5));
    }
}
