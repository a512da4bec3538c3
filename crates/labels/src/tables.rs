//! The tables of the index's file.

use redb::{ReadOnlyTable, ReadTransaction, Table, TableDefinition, WriteTransaction};

use crate::fault::Fault;

/// A block of a run, by their numbers.
pub(crate) type BlockKey = (u32, u32);
/// Bytes under a key.
pub(crate) type Bytes = &'static [u8];

/// Rows.
pub(crate) const BLOCKS: TableDefinition<'_, BlockKey, Bytes> = TableDefinition::new("blocks");
/// Which rows of a block are dead; nothing where none is.
pub(crate) const DEAD: TableDefinition<'_, BlockKey, Bytes> = TableDefinition::new("dead");
/// Whose rows a run has.
pub(crate) const RUNS: TableDefinition<'_, u32, Bytes> = TableDefinition::new("runs");
/// Where a run ends.
pub(crate) const TAILS: TableDefinition<'_, u32, Bytes> = TableDefinition::new("tails");
/// What servers keep of jobs that label, by id.
pub(crate) const JOBS: TableDefinition<'_, &str, Bytes> = TableDefinition::new("jobs");
/// What is known of the file itself: numbers.
const FILE: TableDefinition<'_, &str, u64> = TableDefinition::new("file");

const FORMAT_KEY: &str = "format";
const NEXT_RUN_KEY: &str = "next-run";
/// The version of tables and values.
const FORMAT: u64 = 1;

/// Every key of one run's blocks.
pub(crate) fn blocks_of(run: u32) -> std::ops::RangeInclusive<BlockKey> {
    (run, 0)..=(run, u32::MAX)
}

/// Whether the file has the tables of this version.
pub(crate) fn check(transaction: &ReadTransaction) -> Result<(), Fault> {
    let file = transaction.open_table(FILE)?;
    match redb::ReadableTable::get(&file, FORMAT_KEY)?.map(|format| format.value()) {
        Some(FORMAT) => Ok(()),
        _ => Err(Fault::Broken("it is of another version".to_owned())),
    }
}

/// Makes all tables.
pub(crate) fn make(transaction: &WriteTransaction) -> Result<(), Fault> {
    transaction.open_table(BLOCKS)?;
    transaction.open_table(DEAD)?;
    transaction.open_table(RUNS)?;
    transaction.open_table(TAILS)?;
    transaction.open_table(JOBS)?;
    let mut file = transaction.open_table(FILE)?;
    file.insert(FORMAT_KEY, FORMAT)?;
    file.insert(NEXT_RUN_KEY, 0)?;
    Ok(())
}

/// A number that no run has had, and that is not below this one. `None` where there is none.
pub(crate) fn next_run(transaction: &WriteTransaction, least: u32) -> Result<Option<u32>, Fault> {
    let mut file = transaction.open_table(FILE)?;
    let known = redb::ReadableTable::get(&file, NEXT_RUN_KEY)?.map_or(0, |next| next.value());
    let next = known.max(u64::from(least));
    file.insert(NEXT_RUN_KEY, next + 1)?;
    Ok(u32::try_from(next).ok())
}

/// A table of rows, to be read.
pub(crate) type ReadRows = ReadOnlyTable<BlockKey, Bytes>;
/// A table of rows, to be written.
pub(crate) type WriteRows<'a> = Table<'a, BlockKey, Bytes>;
