//! Each format of the same day, read back.

use std::path::Path;
use std::process::Command;

use kucoin_futures_data::export::manifest::FileEntry;

use crate::day::{Day, check_books, check_gaps, check_trades};
use crate::read::{self, HftEvent, Rebuilt, Record};

#[cfg(feature = "parquet")]
#[test]
fn parquet_files_make_the_books_that_the_client_had() {
    let day = Day::get();
    let (folder, manifest) = day.manifest("parquet");
    check_books(&day.witness, &manifest, |name| {
        let files = read::files(&manifest, "level2", name).into_iter();
        Rebuilt(
            files
                .map(|file| {
                    let (records, metadata) = read::parquet(&folder.join(&file.path));
                    assert_eq!(records.len() as u64, file.rows);
                    assert_eq!(metadata["symbol"], name);
                    assert_eq!(metadata["schema"], "1");
                    assert!(metadata.contains_key("tick_size"), "{metadata:?}");
                    (file, read::table_lines(&records))
                })
                .collect(),
        )
    });
}

#[cfg(feature = "parquet")]
#[test]
fn parquet_files_and_lines_of_json_say_the_same_in_every_table() {
    let day = Day::get();
    let (columns, parquet) = day.manifest("parquet");
    let (lines, ndjson) = day.manifest("ndjson");
    let mut tables = std::collections::BTreeSet::new();
    assert_eq!(parquet.files.len(), ndjson.files.len());
    for (one, other) in parquet.files.iter().zip(&ndjson.files) {
        let (records, _) = read::parquet(&columns.join(&one.path));
        assert_eq!(records, read::ndjson(&lines.join(&other.path)), "{}", one.path);
        assert_eq!(one.rows, records.len() as u64);
        tables.insert(one.table.as_str());
    }
    let all = ["candles", "instrument", "level2", "stats", "tickers", "trades"];
    assert_eq!(tables.into_iter().collect::<Vec<_>>(), all);
    assert_eq!(parquet.books, ndjson.books);
    assert_eq!(parquet.unrepresentable, 0);
}

#[test]
fn lines_of_json_make_the_books_that_the_client_had() {
    let day = Day::get();
    let (folder, manifest) = day.manifest("ndjson");
    let read = |file: &FileEntry| read::ndjson(&folder.join(&file.path));
    check_books(&day.witness, &manifest, |name| {
        let files = read::files(&manifest, "level2", name).into_iter();
        Rebuilt(files.map(|file| (file.clone(), read::table_lines(&read(&file)))).collect())
    });
    check_trades(&day.witness, &manifest, "trades", |file| {
        let text = |record: &Record, name: &str| record[name].as_str().unwrap().to_owned();
        let trade = |record: &Record| (text(record, "price"), record["size"].as_u64().unwrap());
        read(file).iter().map(trade).collect()
    });
    check_gaps(&manifest);
}

#[test]
fn tardis_files_make_the_books_that_the_client_had() {
    let day = Day::get();
    let (folder, manifest) = day.manifest("tardis");
    check_books(&day.witness, &manifest, |name| {
        let files = read::files(&manifest, "incremental_book_L2", name).into_iter();
        let lines = |file: &FileEntry| {
            let (head, rows) = read::csv(&folder.join(&file.path));
            let columns = "exchange,symbol,timestamp,local_timestamp,is_snapshot,side,price,amount";
            assert_eq!(head, columns);
            assert_eq!(rows[0][4], "true", "a file begins with a snapshot");
            read::tardis_lines(&rows)
        };
        Rebuilt(files.map(|file| (file.clone(), lines(&file))).collect())
    });
    check_trades(&day.witness, &manifest, "trades", |file| {
        let (head, rows) = read::csv(&folder.join(&file.path));
        assert_eq!(head, "exchange,symbol,timestamp,local_timestamp,id,side,price,amount");
        rows.iter().map(|row| (row[6].clone(), row[7].parse().unwrap())).collect()
    });
    let files = read::files(&manifest, "derivative_ticker", "XBTUSDTM");
    let (head, rows) = read::csv(&folder.join(&files.last().unwrap().path));
    let columns = "exchange,symbol,timestamp,local_timestamp,funding_timestamp,funding_rate,\
         predicted_funding_rate,open_interest,last_price,index_price,mark_price";
    assert_eq!(head, columns);
    let last = rows.last().unwrap();
    assert_eq!(last.len(), 11);
    for known in [5, 8, 9, 10] {
        assert!(last[known].parse::<f64>().is_ok(), "{last:?}");
    }
}

#[test]
fn arrays_of_events_make_the_books_that_the_client_had_by_either_clock() {
    let day = Day::get();
    let (folder, manifest) = day.manifest("hftbacktest");
    let events = |file: &FileEntry| {
        let events = read::npz(&folder.join(&file.path));
        assert_eq!(events.len() as u64, file.rows);
        events
    };
    check_books(&day.witness, &manifest, |name| {
        let files = read::files(&manifest, "events", name).into_iter();
        let rebuilt = files.map(|file| {
            let events = events(&file);
            check_order(&events);
            let lines = read::hft_lines(&events, read::LOCAL);
            // The exchange's processor is told the same of the book, in the same order.
            assert_eq!(lines, read::hft_lines(&events, read::EXCH));
            (file, lines)
        });
        Rebuilt(rebuilt.collect())
    });
    check_trades(&day.witness, &manifest, "events", |file| {
        let is_trade = |event: &&HftEvent| event.ev & 0xff == 2 && event.ev & read::LOCAL != 0;
        let trade = |event: &HftEvent| (event.px.to_string(), event.qty as u64);
        events(file).iter().filter(is_trade).map(trade).collect()
    });
}

/// Rows are in order for each of the two that read them, and one that both read at once is there once.
fn check_order(events: &[HftEvent]) {
    let of = |flag: u64| events.iter().filter(move |event| event.ev & flag != 0);
    assert!(of(read::EXCH).is_sorted_by_key(|event| event.exch_ts));
    assert!(of(read::LOCAL).is_sorted_by_key(|event| event.local_ts));
    assert_eq!(of(read::EXCH).count(), of(read::LOCAL).count());
    let both = read::EXCH | read::LOCAL;
    let alone = events.iter().filter(|event| event.ev & both != both).count();
    assert!(alone > 0 && alone < events.len() / 2, "{alone} of {}", events.len());
}

/// With `KCF_PYTHON` set to a Python that has polars, pandas, pyarrow and hftbacktest.
#[test]
fn other_peoples_readers_make_the_same_books() {
    let Some(python) = std::env::var_os("KCF_PYTHON") else {
        eprintln!("skipped: KCF_PYTHON names no Python to check with");
        return;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/check.py");
    for (format, folder) in &Day::get().folders {
        let found = Command::new(&python).arg(&script).arg(folder).output().unwrap();
        let said = String::from_utf8_lossy(&found.stdout).into_owned();
        eprintln!("{format}\n{said}");
        let problem = String::from_utf8_lossy(&found.stderr).into_owned();
        assert!(found.status.success(), "{format}: {said}{problem}");
    }
}
