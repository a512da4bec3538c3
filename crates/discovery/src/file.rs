//! A file of addresses: one on each line, with `#` before what is no address.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use crate::address::ServerAddress;
use crate::error::DiscoveryError;

/// The largest file that is read: some ten thousand addresses.
const MOST_BYTES: u64 = 1 << 20;

/// The addresses of a file, in its order. Whoever writes one should move it into its place: half a file is read as one.
pub(crate) fn read(path: &Path) -> Result<Vec<ServerAddress>, DiscoveryError> {
    let fault = |problem: String| DiscoveryError::File { path: path.to_owned(), problem };
    let mut text = String::new();
    let file = File::open(path).map_err(|error| fault(error.to_string()))?;
    file.take(MOST_BYTES + 1).read_to_string(&mut text).map_err(|error| fault(error.to_string()))?;
    if text.len() as u64 > MOST_BYTES {
        return Err(fault(format!("it is longer than {MOST_BYTES} bytes, and not a list of servers")));
    }
    parse(&text).map_err(fault)
}

/// The addresses of a file's text, in its order.
///
/// # Errors
/// The first line that is no address, with its number.
pub fn parse(text: &str) -> Result<Vec<ServerAddress>, String> {
    let mut addresses = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.split('#').next().unwrap_or_default().trim();
        if !line.is_empty() {
            addresses.push(line.parse().map_err(|error| format!("line {number}: {error}"))?);
        }
    }
    Ok(addresses)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_its_lines_and_a_line_that_is_wrong_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("servers");
        std::fs::write(&path, "# storage\nnode1:7440\n\n  node2  # the new one\n").unwrap();
        let shown: Vec<_> = read(&path).unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["node1:7440", "node2:7440"]);
        std::fs::write(&path, "node1:7440\nnode2:99999\n").unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("line 2"));
        std::fs::write(&path, vec![b'#'; 2 << 20]).unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("longer"));
        assert!(read(&folder.path().join("none")).is_err());
    }
}
