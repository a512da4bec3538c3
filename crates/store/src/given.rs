//! What a source says of a sample's class, beside the sample's folder.

/// The label that a labels file, an archive's member or a table's column gives a sample.
///
/// Where any sample of a dataset has a given label, those are the labels of all its samples, and folders are no classes
/// any more: a sample with [`Self::Nothing`] then has no label.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Given<'a> {
    /// Nothing is said: the sample's first folder is its class, unless other samples have given labels.
    #[default]
    Nothing,
    /// The class of this name.
    Class(&'a str),
    /// The class of this number. Its name is that of the pinned class at this position, else the number itself; of
    /// pinned classes that are all numbers, it is the class of that name.
    Number(u32),
}
