//! What the labels of a file are: names of classes, or their numbers.

use headwater_types::caps::MAX_CLASSES;

use super::error::LabelsError;
use crate::given::Given;

/// The different labels of a file, as a catalog takes them.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Labels {
    Names(Vec<String>),
    Numbers(Vec<u32>),
}

// === impl Labels ===

impl Labels {
    /// Labels that are all whole numbers are numbers of classes: class 2 has number 2, whether there is a 0 and a 1 or
    /// not. Others are names. Tables with empty cells often have 3.0 for 3, and `007` names something.
    ///
    /// # Errors
    /// Numbers that are those of no class.
    pub(super) fn of(labels: Vec<String>) -> Result<Self, LabelsError> {
        let is_number = |label: &String| label.parse::<f64>().is_ok_and(f64::is_finite) && !leads_with_zero(label);
        if labels.is_empty() || !labels.iter().all(is_number) {
            return Ok(Self::Names(labels));
        }
        labels.iter().map(|label| number(label)).collect::<Result<_, _>>().map(Self::Numbers)
    }

    /// The label of this number among the different ones; nothing for any other number.
    pub(super) fn given(&self, label: u32) -> Given<'_> {
        match self {
            Self::Names(names) => names.get(label as usize).map_or(Given::Nothing, |name| Given::Class(name)),
            Self::Numbers(numbers) => {
                numbers.get(label as usize).map_or(Given::Nothing, |&number| Given::Number(number))
            }
        }
    }
}

fn number(label: &str) -> Result<u32, LabelsError> {
    let wrong = |reason| LabelsError::Number { label: label.to_owned(), reason };
    let (whole, zeros) = label.split_once('.').unwrap_or((label, ""));
    let is_whole = zeros.bytes().all(|byte| byte == b'0') && !whole.is_empty();
    if !is_whole || whole.contains(['e', 'E']) {
        return Err(wrong("numbers of classes are whole: ask for a target that is not as a field, with fields=COLUMN"));
    }
    let number: i64 = whole.parse().unwrap_or(i64::MAX);
    if number < 0 {
        return Err(wrong("numbers of classes begin at 0: leave the cell empty for a sample without a label"));
    }
    match u32::try_from(number) {
        Ok(number) if (number as usize) < MAX_CLASSES => Ok(number),
        _ => Err(wrong("there are at most 65536 classes: ask for it as a field, with fields=COLUMN")),
    }
}

fn leads_with_zero(label: &str) -> bool {
    label.len() > 1 && label.starts_with('0') && label.as_bytes()[1].is_ascii_digit()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(labels: &[&str]) -> Result<Labels, String> {
        Labels::of(labels.iter().map(|&label| label.to_owned()).collect()).map_err(|error| error.to_string())
    }

    #[test]
    fn labels_that_are_all_numbers_are_numbers_and_others_are_names() {
        assert_eq!(labels(&["10", "9", "0"]), Ok(Labels::Numbers(vec![10, 9, 0])));
        assert_eq!(labels(&["1.0", "0.0"]), Ok(Labels::Numbers(vec![1, 0])));
        for names in [&["dog", "cat"][..], &["01", "1"], &["nan", "1"], &["1", "x"], &[]] {
            let expected = names.iter().map(|&name| name.to_owned()).collect();
            assert_eq!(labels(names), Ok(Labels::Names(expected)));
        }
        let names = labels(&["dog", "cat"]).unwrap();
        assert_eq!(
            [names.given(1), names.given(2), names.given(u32::MAX)],
            [Given::Class("cat"), Given::Nothing, Given::Nothing]
        );
        assert_eq!(labels(&["7"]).unwrap().given(0), Given::Number(7));
    }

    #[test]
    fn numbers_that_are_no_classes_are_refused_with_what_to_do() {
        for (label, words) in
            [("0.5", "as a field"), ("-1", "leave the cell empty"), ("65536", "at most"), ("1e3", "whole")]
        {
            let error = labels(&["1", label]).unwrap_err();
            assert!(error.contains(words) && error.contains(label), "{error}");
        }
    }
}
