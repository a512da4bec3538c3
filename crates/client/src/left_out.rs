//! What servers found and left out of their listings, in words: a person who trains on a dataset must know that a class
//! of it was a link.
//!
//! Servers of one listing have left out the same, which is said once.

use std::collections::BTreeMap;

use headwater_types::Digest;
use headwater_wire::proto;

use headwater_discovery::ServerAddress;

/// Most reasons of one server, and most bytes of one text, that are shown: a server is not trusted to be brief.
const MOST_REASONS: usize = 32;
const MOST_BYTES: usize = 500;

/// What was left out for one reason, of all servers that say the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Remark {
    pub(crate) text: String,
    /// Whether no person needs to hear of it.
    pub(crate) is_usual: bool,
}

/// What these servers say, each with the digest of its listing.
pub(crate) fn remarks<'a>(
    servers: impl Iterator<Item = (&'a ServerAddress, Digest, &'a [proto::LeftOut])>,
) -> Vec<Remark> {
    let mut same = BTreeMap::<_, (Vec<&ServerAddress>, &proto::LeftOut)>::new();
    for (address, listing, left_out) in servers {
        for left in left_out.iter().take(MOST_REASONS) {
            let about = (listing, left.reason.as_str(), left.count);
            same.entry(about).or_insert_with(|| (Vec::new(), left)).0.push(address);
        }
    }
    same.into_values().map(|(addresses, left)| remark(&addresses, left)).collect()
}

fn remark(addresses: &[&ServerAddress], left: &proto::LeftOut) -> Remark {
    let proto::LeftOut { count, warning, first, suffixes, usual, .. } = left;
    let servers = addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let suffixes = if suffixes.is_empty() { String::new() } else { format!("; {}", shown(suffixes)) };
    let text = format!("{}: {count} at {servers} ({}{suffixes})", shown(warning), shown(first));
    Remark { text, is_usual: *usual }
}

/// On one line, and no longer than is read.
fn shown(text: &str) -> String {
    let line = |character: char| if character.is_control() { char::REPLACEMENT_CHARACTER } else { character };
    let kept: String = text.chars().map(line).take(MOST_BYTES).collect();
    if kept.chars().count() < text.chars().count() { kept + "..." } else { kept }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(reason: &str, count: u64, first: &str) -> proto::LeftOut {
        let warning = format!("{reason} are left out: mend them");
        proto::LeftOut {
            reason: reason.to_owned(),
            count,
            warning,
            first: first.to_owned(),
            ..proto::LeftOut::default()
        }
    }

    #[test]
    fn servers_of_one_listing_are_told_of_once_and_others_by_themselves() {
        let addresses: Vec<ServerAddress> = ["a:1", "b:1", "c:1"].map(|text| text.parse().unwrap()).to_vec();
        let (one, other) = (vec![left("links", 2, "cat, dog")], vec![left("links", 2, "horse")]);
        let listings = [Digest::of(b"one"), Digest::of(b"one"), Digest::of(b"other")];
        let said = addresses.iter().zip(listings).zip([&one, &one, &other]);
        let mut texts: Vec<_> = remarks(said.map(|((address, listing), left)| (address, listing, &left[..])))
            .into_iter()
            .map(|r| r.text)
            .collect();
        texts.sort();
        assert_eq!(
            texts,
            [
                "links are left out: mend them: 2 at a:1, b:1 (cat, dog)",
                "links are left out: mend them: 2 at c:1 (horse)"
            ]
        );
    }

    #[test]
    fn what_a_server_says_is_one_line_of_bounded_length() {
        let mut long = left("links", 1, &"\u{1b}[31mx\n".repeat(1000));
        long.suffixes = ".psd 4".to_owned();
        let address = "a:1".parse().unwrap();
        let many = vec![long; 100];
        let said = remarks(std::iter::once((&address, Digest::of(b""), &many[..])));
        assert_eq!(said.len(), 1);
        assert!(said[0].text.len() < 3000 && !said[0].text.contains(char::is_control), "{}", said[0].text);
        assert!(said[0].text.ends_with("...; .psd 4)"), "{}", said[0].text);
    }
}
