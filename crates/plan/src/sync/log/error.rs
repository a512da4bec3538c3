//! Why text is no log.

/// A line of a log that is wrong.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("line {line}: {fault}")]
pub struct LogError {
    /// The number of the line, from 1.
    pub line: u64,
    /// What is wrong there.
    pub fault: LogFault,
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum LogFault {
    /// There is no whole line.
    #[error("the log is empty: it must begin with a line of the event run")]
    Empty,
    /// The first line is not that of a run.
    #[error("the log must begin with a line of the event run")]
    NoRun,
    /// The line is no event of this form.
    #[error("{0}")]
    NoEvent(String),
    /// The log is in another form.
    #[error("the log has format {given}, and this program reads format {known}")]
    Format {
        /// The format that the log says.
        given: u32,
        /// The format that is read here.
        known: u32,
    },
    /// A number is out of its range.
    #[error("{field} is {value}, which is not {expected}")]
    Value {
        /// The field's name.
        field: &'static str,
        /// What stands in the file.
        value: f64,
        /// What should stand there.
        expected: &'static str,
    },
    /// A worker is not one of the run's.
    #[error("there is no worker {given}: the run has {workers}")]
    NoSuchWorker {
        /// The worker's number.
        given: usize,
        /// How many workers the run has.
        workers: usize,
    },
    /// A line stands behind the end of its run.
    #[error("the run has ended before this line")]
    BehindEnd,
    /// There is more than a log may have.
    #[error("there are more than {most} {what}")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// The most that there may be.
        most: u64,
    },
}
