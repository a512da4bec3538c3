//! Why a dataset could not be opened or listed. (Why one sample could not be read is a `SampleFailure`.)
//!
//! The words begin with the dataset's place. Which setting names that place, a program knows and puts before them.

use std::io;
use std::path::PathBuf;

use headwater_types::caps::{MAX_CLASSES, MAX_SAMPLES};

use crate::local::FollowError;
use crate::spec::OptionError;

/// A dataset that could not be opened or listed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// An option means nothing for the kind of dataset that was found.
    #[error("{location}: {source}")]
    Option {
        /// The dataset.
        location: String,
        /// Which option.
        source: OptionError,
    },
    /// The place has compressed tar files, and nothing else that could be served.
    #[error(
        "{location} has no photos but {count} compressed tar files, in which no photo can be read by itself: repack \
         each, as with `{command}`"
    )]
    Compressed {
        /// The dataset.
        location: String,
        /// The number of files.
        count: u64,
        /// The command that makes a plain tar file of the first.
        command: String,
    },
    /// Photos cannot be put into a dataset of this kind.
    #[error("{location}: photos are put into a folder, or below an s3:// prefix, and not into {kind}")]
    NoDeposit {
        /// The dataset.
        location: String,
        /// Its kind.
        kind: String,
    },
    /// Nothing is at the path.
    #[error("{}: no such folder", path.display())]
    NoSuchFolder {
        /// The path as it was given.
        path: PathBuf,
    },
    /// The path is that of a file, not of a folder.
    #[error("{}: not a folder", path.display())]
    NotAFolder {
        /// The path as it was given.
        path: PathBuf,
    },
    /// Links may not be followed into this folder.
    #[error("--follow-links {}: {source}", path.display())]
    Follow {
        /// The path as it was given.
        path: PathBuf,
        /// What is wrong with it.
        source: FollowError,
    },
    /// The folder or something in it could not be read.
    #[error("cannot read {}: {source}", path.display())]
    Folder {
        /// The dataset's folder and what is below it.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Parts of the dataset cannot be seen, so that nobody knows which samples and classes are missing.
    #[error(
        "{location}: {count} folders or files cannot be read: {first}: let this user read them, or leave them out with \
         --skip-unreadable"
    )]
    Unreadable {
        /// The dataset.
        location: String,
        /// The number of folders and files.
        count: u64,
        /// The names of the first few, and what the system or the store said of each.
        first: String,
    },
    /// The classes are pinned, and samples are of others, whose labels would be guesses.
    #[error(
        "{location}: {count} samples are of classes that are not pinned: {first}: add those to classes=, or leave \
         classes= out"
    )]
    UnknownClasses {
        /// The dataset.
        location: String,
        /// The number of samples.
        count: u64,
        /// The names of the first few classes.
        first: String,
    },
    /// The fields that are asked for are not there, or not of one kind.
    #[error("{location}: fields=: {reason}")]
    Fields {
        /// The dataset.
        location: String,
        /// Which field, and what is wrong with it.
        reason: String,
    },
    /// A Parquet file is not the table that the options say, or has values that cannot be right.
    #[error("{location}: {object}: {reason}")]
    Table {
        /// The dataset.
        location: String,
        /// The file.
        object: String,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// Shards that were named are not there.
    #[error("{location}: {count} of its shards are not there: {first}")]
    NoSuchShards {
        /// The dataset.
        location: String,
        /// The number of shards.
        count: usize,
        /// The names of the first few.
        first: String,
    },
    /// The same name is in several shards.
    #[error(
        "{location}: {count} photos have the name of a photo in another shard ({first}): give the dataset keys=shard, \
         so that each key begins with its shard's name, or leave out the shards that repeat others"
    )]
    KeysInSeveralShards {
        /// The dataset.
        location: String,
        /// The number of photos whose name was there before.
        count: u64,
        /// The names of the first few.
        first: String,
    },
    /// The dataset has nothing that could be served.
    #[error("{location} has no photos: {found}")]
    NoPhotos {
        /// The dataset.
        location: String,
        /// What is there instead.
        found: String,
    },
    /// A variable has a value that it cannot have.
    #[error("{variable}: {reason}")]
    S3Variable {
        /// The variable's name.
        variable: String,
        /// What is wrong with its value, and what to do.
        reason: String,
    },
    /// Settings are each understood but not together, such as half of a pair of credentials.
    #[error("the AWS_* variables do not fit together: {reason}")]
    S3Settings {
        /// What is wrong with them.
        reason: String,
    },
    /// The endpoint is another machine, and is spoken to in plain HTTP.
    #[error("endpoint {endpoint} is not encrypted: use https, or set --s3-allow-http or AWS_ALLOW_HTTP=true")]
    PlainHttp {
        /// The endpoint as it was given.
        endpoint: String,
    },
    /// The environment names no credentials and the machine has no role.
    #[error(
        "no credentials for {location}: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_SKIP_SIGNATURE=true \
         for a public bucket ({reason})"
    )]
    NoCredentials {
        /// The dataset.
        location: String,
        /// What happened without them.
        reason: String,
    },
    /// The store knows the caller, and says no.
    #[error("{location} refused the listing: {fix} ({reason})")]
    Refused {
        /// The dataset.
        location: String,
        /// What to do.
        fix: String,
        /// What the store said.
        reason: String,
    },
    /// The bucket is not there.
    #[error("no bucket for {location}: check its name, AWS_REGION and --s3-endpoint ({reason})")]
    NoSuchBucket {
        /// The dataset.
        location: String,
        /// What the store said.
        reason: String,
    },
    /// The store did not answer, or not as S3 does.
    #[error("cannot list {location}: {reason}")]
    S3 {
        /// The dataset.
        location: String,
        /// What happened.
        reason: String,
    },
    /// The dataset has more samples than an index can number.
    #[error("more than {MAX_SAMPLES} samples: give each server a part of the dataset with --partition K/N")]
    TooManySamples,
    /// The dataset has more class folders than are held in memory.
    #[error(
        "more than {MAX_CLASSES} folders right under the dataset's root or labels, each a class: group them, or serve \
         one group"
    )]
    TooManyClasses,
    /// The labels file cannot label the dataset.
    #[error("labels={file}: {reason}")]
    Labels {
        /// The file.
        file: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The file of classes lists none.
    #[error("classes={file}: {reason}")]
    ClassFile {
        /// The file.
        file: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The program is stopping, or a fault of the program ended the listing.
    #[error("the listing was interrupted: {reason}")]
    Interrupted {
        /// What ended it.
        reason: String,
    },
}

// === impl StoreError ===

impl StoreError {
    /// Whether trying again can help with nothing changed.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Folder { .. } | Self::S3 { .. } | Self::Interrupted { .. })
    }
}
