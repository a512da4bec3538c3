//! A frame on disk is opened or refused; what opens is, to the byte, what would be put.

#![no_main]

use bytes::Bytes;
use headwater_cache::{Entry, EntryKey, Frame, Kind};
use headwater_store::Version;
use headwater_types::{ByteCount, Digest};
use libfuzzer_sys::fuzz_target;

fn check(frame: Vec<u8>, key: &EntryKey) {
    if let Ok(entry) = Frame::open(frame.clone().into(), key) {
        let (Entry::Bytes(payload) | Entry::Refused(payload)) = &entry;
        assert_eq!([Frame::seal(key, &entry).as_bytes(), payload].concat(), frame);
    }
}

fuzz_target!(|frame: &[u8]| {
    let Ok(sample) = "cat/1.jpg".parse() else { return };
    let (version, most) = (Version::of_file(1000, 1, 2), ByteCount::mebibytes(1));
    let key = EntryKey::new(Kind::Indexed, &Digest::of(b"photos"), &sample, version, most);
    check(frame.to_vec(), &key);
    // With its checksums made to fit, so that the rest is looked at too.
    let mut fitting = frame.to_vec();
    Frame::mend(&mut fitting);
    check(fitting, &key);
    let entry = Entry::Bytes(Bytes::copy_from_slice(frame));
    let sealed = [Frame::seal(&key, &entry).as_bytes(), frame].concat();
    assert_eq!(Frame::open(sealed.into(), &key), Ok(entry));
});
