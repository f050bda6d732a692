//! The files of a data set, and its manifest.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use kucoin_futures_proto::Symbol;

use super::file::{Address, Counts, PartFile, RowWriter, hex};
use super::hftbacktest::HftWriter;
use super::manifest::{BookHistory, Digest, Horizon, MANIFEST, Manifest, Place, Point, SCHEMA};
use super::ndjson::NdjsonWriter;
use super::row::{Row, Table};
use super::tardis::TardisWriter;
use super::{EXCHANGE, Format, SOFTWARE};

pub(super) struct DataSet {
    folder: PathBuf,
    format: Format,
    pub(super) manifest: Manifest,
    files: BTreeMap<(&'static str, Symbol), PartFile>,
    begun: u64,
}

impl DataSet {
    pub(super) fn create(folder: &Path, format: Format) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        if folder.join(MANIFEST).try_exists()? {
            let problem = format!("{} holds a data set already", folder.display());
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, problem));
        }
        let manifest = Manifest {
            schema: SCHEMA,
            software: SOFTWARE.to_owned(),
            exchange: EXCHANGE.to_owned(),
            format: format.name().to_owned(),
            ..Manifest::default()
        };
        manifest.write(folder)?;
        Ok(Self { folder: folder.to_owned(), format, manifest, files: BTreeMap::new(), begun: 0 })
    }

    /// Puts a row where it belongs; false if this format has no place for it.
    pub(super) fn write(&mut self, symbol: Symbol, row: &Row<'_>) -> io::Result<bool> {
        let of = row.table();
        let Some(table) = self.format.table(of) else { return Ok(false) };
        if let Some(file) = self.files.get_mut(&(table, symbol)) {
            file.write(row)?;
            return Ok(true);
        }
        let (folder, format) = (self.folder.as_path(), self.format);
        let number = self.begun;
        self.begun += 1;
        let address = Address { number, folder, table, symbol, ending: format.ending() };
        let open = |file, partial: &Path| format.open(file, partial, symbol, of);
        let mut file = PartFile::create(address, row.stamp().received, open)?;
        file.write(row)?;
        self.files.insert((table, symbol), file);
        Ok(true)
    }

    /// Completes all files.
    pub(super) fn finish_files(&mut self) -> io::Result<()> {
        for ((_, symbol), file) in core::mem::take(&mut self.files) {
            let terms = self.manifest.contracts.get(symbol.as_str());
            let (entry, Counts { unrepresentable, moved, .. }) = file.finish(terms)?;
            self.manifest.unrepresentable += unrepresentable;
            self.manifest.moved_times += moved;
            self.manifest.files.push(entry);
        }
        Ok(())
    }

    pub(super) fn write_manifest(&self) -> io::Result<()> {
        self.manifest.write(&self.folder)
    }

    pub(super) fn history(&mut self, symbol: Symbol) -> &mut BookHistory {
        self.manifest.books.entry(symbol.to_string()).or_default()
    }

    /// Notes what a book looks like where its rows are now.
    pub(super) fn note_digest(&mut self, symbol: Symbol, look: Look, place: Place) {
        let Look { at, epoch, horizon, sha256 } = look;
        let table = self.format.table(Table::Level2);
        let Some(file) = table.and_then(|table| self.files.get(&(table, symbol))) else { return };
        let (file, counts) = (file.number(), file.counts());
        let file_rows = counts.in_order.then_some(counts.rows);
        let sha256 = hex(&sha256);
        let digest = Digest { at, epoch, horizon, sha256, file, file_rows, place };
        self.history(symbol).digests.push(digest);
    }
}

/// What a book looks like.
pub(super) struct Look {
    pub(super) at: Point,
    pub(super) epoch: u32,
    pub(super) horizon: Horizon,
    pub(super) sha256: [u8; 32],
}

impl Format {
    /// As the manifest names it.
    const fn name(self) -> &'static str {
        match self {
            #[cfg(feature = "parquet")]
            Self::Parquet => "parquet",
            Self::Tardis => "tardis",
            Self::Hftbacktest => "hftbacktest",
            Self::Ndjson => "ndjson",
        }
    }

    const fn ending(self) -> &'static str {
        match self {
            #[cfg(feature = "parquet")]
            Self::Parquet => "parquet",
            Self::Tardis => "csv.gz",
            Self::Hftbacktest => "npz",
            Self::Ndjson => "ndjson.zst",
        }
    }

    /// Where rows go, if anywhere.
    const fn table(self, of: Table) -> Option<&'static str> {
        match (self, of) {
            #[cfg(feature = "parquet")]
            (Self::Parquet, of) => Some(of.name()),
            (Self::Ndjson, of) => Some(of.name()),
            (Self::Tardis, Table::Level2) => Some("incremental_book_L2"),
            (Self::Tardis, Table::Trades) => Some("trades"),
            (Self::Tardis, Table::Instrument) => Some("derivative_ticker"),
            (Self::Hftbacktest, Table::Level2 | Table::Trades) => Some("events"),
            (Self::Tardis | Self::Hftbacktest, _) => None,
        }
    }

    fn open(
        self,
        file: File,
        partial: &Path,
        symbol: Symbol,
        of: Table,
    ) -> io::Result<Box<dyn RowWriter>> {
        Ok(match self {
            #[cfg(feature = "parquet")]
            Self::Parquet => Box::new(super::parquet::ParquetWriter::new(file, symbol, of)?),
            Self::Tardis => Box::new(TardisWriter::new(file, symbol, of)?),
            Self::Hftbacktest => Box::new(HftWriter::new(file, partial)?),
            Self::Ndjson => Box::new(NdjsonWriter::new(file, symbol, of)?),
        })
    }
}
