//! A table of separated values with a header, read line by line without a copy.

use super::error::{ImportError, ImportFault, ImportFile};

/// Most bytes of a line: SOPHON's have about 100.
const MOST_LINE: usize = 4096;
/// Characters of a wrong field that an error shows.
const SHOWN: usize = 40;

/// One of the two files.
pub(super) struct Table<'a> {
    file: ImportFile,
    separator: u8,
    names: Vec<&'a str>,
    /// Where each name begins in the header.
    places: Vec<u64>,
    rest: &'a [u8],
    /// The number of lines that were read.
    line: u64,
    fields: Vec<&'a str>,
    row: &'a str,
}

/// A column's position in the file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field(usize);

/// One row.
#[derive(Clone, Copy)]
pub(super) struct CsvRow<'t, 'a> {
    table: &'t Table<'a>,
}

// === impl Table ===

impl<'a> Table<'a> {
    /// Reads the header.
    pub(super) fn new(file: ImportFile, bytes: &'a [u8]) -> Result<Self, ImportError> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let mut table = Self {
            file,
            separator: b';',
            names: Vec::new(),
            places: Vec::new(),
            rest: bytes,
            line: 0,
            fields: Vec::new(),
            row: "",
        };
        let header = table.next_line()?.unwrap_or_default();
        if header.is_empty() {
            return Err(table.error(1, ImportFault::Empty));
        }
        table.separator = if header.contains(';') { b';' } else { b',' };
        let mut names = Vec::new();
        split(header, table.separator, &mut names);
        for (place, name) in names.iter().enumerate() {
            let column = column_of(header, name);
            if names[..place].contains(name) {
                return Err(table.error(column, ImportFault::DuplicateColumn(shown(name))));
            }
            table.places.push(column);
        }
        table.names = names;
        Ok(table)
    }

    /// Whether every column is one of these.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), ImportError> {
        let stranger = self.names.iter().zip(&self.places).find(|(name, _)| !known.contains(*name));
        match stranger {
            Some((name, &column)) => Err(self.error(column, ImportFault::UnknownColumn(shown(name)))),
            None => Ok(()),
        }
    }

    pub(super) fn optional(&self, name: &str) -> Option<Field> {
        self.names.iter().position(|known| *known == name).map(Field)
    }

    pub(super) fn column(&self, name: &'static str) -> Result<Field, ImportError> {
        self.optional(name).ok_or_else(|| self.error(1, ImportFault::MissingColumn(name)))
    }

    pub(super) fn columns<const N: usize>(&self, names: [&'static str; N]) -> Result<[Field; N], ImportError> {
        let mut fields = [Field(0); N];
        for (field, name) in fields.iter_mut().zip(names) {
            *field = self.column(name)?;
        }
        Ok(fields)
    }

    /// Lines behind the header, without empty ones at the end: what the number of samples should be.
    pub(super) fn count_rows(&self) -> u64 {
        let rest = self.rest.trim_ascii_end();
        if rest.is_empty() { 0 } else { rest.iter().filter(|&&byte| byte == b'\n').count() as u64 + 1 }
    }

    /// The next row, with as many fields as the header; `None` at the end.
    pub(super) fn next_row(&mut self) -> Result<Option<CsvRow<'_, 'a>>, ImportError> {
        if self.rest.trim_ascii_start().is_empty() {
            return Ok(None);
        }
        self.row = self.next_line()?.unwrap_or_default();
        self.fields.clear();
        let (row, separator) = (self.row, self.separator);
        split(row, separator, &mut self.fields);
        let (given, expected) = (self.fields.len(), self.names.len());
        if given != expected {
            let column = match self.fields.get(expected) {
                Some(surplus) => column_of(row, surplus),
                None => row.chars().count() as u64 + 1,
            };
            return Err(self.error(column, ImportFault::Fields { given, expected }));
        }
        Ok(Some(CsvRow { table: self }))
    }

    pub(super) fn error_at_header(&self, fault: ImportFault) -> ImportError {
        ImportError::File { file: self.file, line: 1, column: 1, fault }
    }

    pub(super) fn error_at_row(&self, fault: ImportFault) -> ImportError {
        self.error(1, fault)
    }

    /// An error on the line behind the last.
    pub(super) fn error_at_end(&self, fault: ImportFault) -> ImportError {
        ImportError::File { file: self.file, line: self.line + 1, column: 1, fault }
    }

    fn error(&self, column: u64, fault: ImportFault) -> ImportError {
        ImportError::File { file: self.file, line: self.line.max(1), column, fault }
    }

    fn next_line(&mut self) -> Result<Option<&'a str>, ImportError> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        self.line += 1;
        let end = self.rest.iter().take(MOST_LINE + 2).position(|&byte| byte == b'\n');
        let end = match end {
            Some(end) => end,
            None if self.rest.len() <= MOST_LINE => self.rest.len(),
            None => return Err(self.error(1, ImportFault::LongLine(MOST_LINE))),
        };
        let (line, rest) = self.rest.split_at(end);
        self.rest = rest.strip_prefix(b"\n").unwrap_or(rest);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        std::str::from_utf8(line).map(Some).map_err(|error| {
            let before = String::from_utf8_lossy(&line[..error.valid_up_to()]).chars().count() as u64;
            self.error(before + 1, ImportFault::NotText)
        })
    }
}

/// Fields of a line, without spaces around them. A separator between parentheses or quotes is none; one at the end of
/// the line ends the last field and begins no other.
fn split<'a>(line: &'a str, separator: u8, fields: &mut Vec<&'a str>) {
    let (mut begin, mut depth, mut quoted) = (0, 0_u32, false);
    for (at, byte) in line.bytes().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b'(' if !quoted => depth += 1,
            b')' if !quoted => depth = depth.saturating_sub(1),
            byte if byte == separator && depth == 0 && !quoted => {
                fields.push(line[begin..at].trim());
                begin = at + 1;
            }
            _ => {}
        }
    }
    if begin < line.len() {
        fields.push(line[begin..].trim());
    }
}

/// The character at which a part of a line begins, from 1.
fn column_of(line: &str, part: &str) -> u64 {
    let offset = (part.as_ptr() as usize).saturating_sub(line.as_ptr() as usize);
    line.get(..offset).map_or(0, |before| before.chars().count() as u64) + 1
}

fn shown(text: &str) -> String {
    text.chars().take(SHOWN).collect()
}

// === impl CsvRow ===

impl CsvRow<'_, '_> {
    pub(super) fn expect_index(&self, field: Field, expected: u64) -> Result<(), ImportError> {
        let given = self.parse(field, "a whole number", digits)?;
        if given == expected {
            return Ok(());
        }
        Err(self.table.error(self.column(field), ImportFault::Order { given, expected }))
    }

    pub(super) fn bytes(&self, field: Field) -> Result<u32, ImportError> {
        self.parse(field, "a whole number of bytes below 4294967296", |text| digits(text)?.try_into().ok())
    }

    pub(super) fn seconds(&self, field: Field, most: f64) -> Result<f64, ImportError> {
        self.parse(field, "a number of seconds from 0 to 600", |text| {
            // `f64` reads words (inf, nan) besides numbers; -0 would be as good as 0, but nobody means it.
            let seconds: f64 = text.parse().ok()?;
            (0.0..=most).contains(&seconds).then_some(seconds.abs())
        })
    }

    /// `(height, width)`, with or without quotes around it.
    pub(super) fn shape(&self, field: Field) -> Result<(u32, u32), ImportError> {
        self.parse(field, "a shape such as (768, 1024)", |text| {
            let bare = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text).trim();
            let inner = bare.strip_prefix('(')?.strip_suffix(')')?;
            let (height, width) = inner.split_once(',')?;
            Some((digits(height.trim())?.try_into().ok()?, digits(width.trim())?.try_into().ok()?))
        })
    }

    fn parse<T>(
        &self,
        field: Field,
        expected: &'static str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, ImportError> {
        let text = self.table.fields[field.0];
        parse(text).ok_or_else(|| {
            let fault = ImportFault::Value { name: self.table.names[field.0].to_owned(), text: shown(text), expected };
            self.table.error(self.column(field), fault)
        })
    }

    fn column(&self, field: Field) -> u64 {
        column_of(self.table.row, self.table.fields[field.0])
    }
}

/// Decimal digits and nothing else: `+1` and ` 1` are no indices.
fn digits(text: &str) -> Option<u64> {
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}
