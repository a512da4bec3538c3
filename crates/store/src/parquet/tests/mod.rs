//! Files of every encoding, codec and shape, written by the `parquet` crate, are read back to the byte; files that were
//! damaged give an error or a value, and never end the process.

mod behaves;
mod damaged;
mod labels;
mod written;
