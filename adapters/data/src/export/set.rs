//! The files of a data set, and its manifest.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use kucoin_futures_proto::Symbol;

#[cfg(feature = "arrow")]
use super::batch::TableBuilder;
use super::file::{Address, Counts, PartFile, RowWriter, hex};
use super::hftbacktest::HftWriter;
use super::manifest::{BookHistory, Digest, Horizon, MANIFEST, Manifest, Place, Point, SCHEMA};
use super::ndjson::NdjsonWriter;
use super::row::{Row, Table};
use super::tardis::TardisWriter;
use super::{EXCHANGE, Format, SOFTWARE};

/// Where rows go, and what is known of them.
pub(super) struct DataSet {
    to: Target,
    pub(super) manifest: Manifest,
}

enum Target {
    Files(Files),
    #[cfg(feature = "arrow")]
    Memory(BTreeMap<Table, TableBuilder>),
}

struct Files {
    folder: PathBuf,
    format: Format,
    open: BTreeMap<(&'static str, Symbol), PartFile>,
    begun: u64,
}

impl DataSet {
    pub(super) fn create(folder: &Path, format: Format) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        if folder.join(MANIFEST).try_exists()? {
            let problem = format!("{} holds a data set already", folder.display());
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, problem));
        }
        let folder = folder.to_owned();
        let to = Target::Files(Files { folder, format, open: BTreeMap::new(), begun: 0 });
        let set = Self { to, manifest: new_manifest(format.name()) };
        set.write_manifest()?;
        Ok(set)
    }

    /// These tables and no others, where they can be taken.
    #[cfg(feature = "arrow")]
    pub(super) fn in_memory(tables: impl IntoIterator<Item = Table>) -> Self {
        let tables = tables.into_iter().map(|table| (table, TableBuilder::new(table))).collect();
        Self { to: Target::Memory(tables), manifest: new_manifest("arrow") }
    }

    #[cfg(feature = "arrow")]
    pub(super) fn tables(&mut self) -> impl Iterator<Item = &mut TableBuilder> {
        match &mut self.to {
            Target::Files(_) => None,
            Target::Memory(tables) => Some(tables.values_mut()),
        }
        .into_iter()
        .flatten()
    }

    /// Puts a row where it belongs; false if there is no place for it.
    pub(super) fn write(&mut self, symbol: Symbol, row: &Row<'_>) -> io::Result<bool> {
        match &mut self.to {
            Target::Files(files) => files.write(symbol, row),
            #[cfg(feature = "arrow")]
            Target::Memory(tables) => {
                let table = tables.get_mut(&row.table());
                Ok(table.map(|table| table.push_row(symbol, row)).is_some())
            }
        }
    }

    /// Completes all files.
    pub(super) fn finish_files(&mut self) -> io::Result<()> {
        match &mut self.to {
            Target::Files(files) => files.finish(&mut self.manifest),
            #[cfg(feature = "arrow")]
            Target::Memory(_) => Ok(()),
        }
    }

    pub(super) fn write_manifest(&self) -> io::Result<()> {
        match &self.to {
            Target::Files(files) => self.manifest.write(&files.folder),
            #[cfg(feature = "arrow")]
            Target::Memory(_) => Ok(()),
        }
    }

    pub(super) fn history(&mut self, symbol: Symbol) -> &mut BookHistory {
        self.manifest.books.entry(symbol.to_string()).or_default()
    }

    /// Notes what a book looks like where its rows are now, if that is in a file.
    pub(super) fn note_digest(
        &mut self,
        symbol: Symbol,
        look: impl FnOnce() -> Look,
        place: Place,
    ) {
        let Some((file, counts)) = self.book_file(symbol) else { return };
        let Look { at, epoch, horizon, sha256 } = look();
        let file_rows = counts.in_order.then_some(counts.rows);
        let sha256 = hex(&sha256);
        let digest = Digest { at, epoch, horizon, sha256, file, file_rows, place };
        self.history(symbol).digests.push(digest);
    }

    /// The file that rows of a book go to: its number, and what is in it.
    fn book_file(&self, symbol: Symbol) -> Option<(u64, Counts)> {
        match &self.to {
            Target::Files(files) => {
                let table = files.format.table(Table::Level2)?;
                let file = files.open.get(&(table, symbol))?;
                Some((file.number(), file.counts()))
            }
            #[cfg(feature = "arrow")]
            Target::Memory(_) => None,
        }
    }
}

impl Files {
    fn write(&mut self, symbol: Symbol, row: &Row<'_>) -> io::Result<bool> {
        let of = row.table();
        let Some(table) = self.format.table(of) else { return Ok(false) };
        if let Some(file) = self.open.get_mut(&(table, symbol)) {
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
        self.open.insert((table, symbol), file);
        Ok(true)
    }

    fn finish(&mut self, manifest: &mut Manifest) -> io::Result<()> {
        for ((_, symbol), file) in core::mem::take(&mut self.open) {
            let terms = manifest.contracts.get(symbol.as_str());
            let (entry, Counts { unrepresentable, moved, .. }) = file.finish(terms)?;
            manifest.unrepresentable += unrepresentable;
            manifest.moved_times += moved;
            manifest.files.push(entry);
        }
        Ok(())
    }
}

fn new_manifest(format: &str) -> Manifest {
    Manifest {
        schema: SCHEMA,
        software: SOFTWARE.to_owned(),
        exchange: EXCHANGE.to_owned(),
        format: format.to_owned(),
        ..Manifest::default()
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
