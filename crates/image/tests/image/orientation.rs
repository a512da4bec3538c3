//! Promise: a photo is turned as Pillow's `ImageOps.exif_transpose` turns it, wherever and however it states its
//! orientation.
//!
//! The table here has the right turns. Where there is a Python with Pillow, it confirms them.

use std::io::Write;
use std::process::{Command, Stdio};

use headwater_image::{IndexedJpeg, Scratch, decode, read_header};
use headwater_types::recipe::Orientation;
use headwater_types::{Format, ImageLimits, Size};
use serde_json::{Value, json};

use crate::pillow::python;
use crate::support::{Jpeg, Picture};

/// A Python program that reads names of files, and prints each one's size and pixels upright, or why it has none.
const UPRIGHT: &str = r"
import json, sys, warnings, zlib
from PIL import Image, ImageOps
warnings.simplefilter('ignore')
found = []
for path in json.load(sys.stdin):
    try:
        photo = Image.open(path)
        photo.load()
        photo = ImageOps.exif_transpose(photo).convert('RGB')
        found.append({'size': photo.size, 'pixels': zlib.crc32(photo.tobytes())})
    except Exception as error:
        found.append({'error': repr(error)})
print(json.dumps({'found': found}))
";

/// The sides of every photo here, as stored.
const SIZE: (usize, usize) = (37, 23);

/// A photo, and the orientation that it states.
struct Case {
    name: String,
    bytes: Vec<u8>,
    turn: u8,
}

/// An entry of EXIF: its type, count and value (or where that lies), and what lies behind the directory.
#[derive(Clone, Copy)]
struct Entry<'a>(u16, u32, &'a [u8], &'a [u8]);

/// An EXIF block without `Exif\0\0`, big-endian, that has a maker, perhaps the entry of the orientation, and a
/// resolution.
fn exif(entry: Option<Entry<'_>>) -> Vec<u8> {
    let mut entries = vec![(0x010f_u16, Entry(2, 3, b"us\0", &[]))];
    entries.extend(entry.map(|entry| (0x0112, entry)));
    entries.push((0x0128, Entry(3, 1, &[0, 2], &[])));
    let mut block = b"MM\0*\0\0\0\x08".to_vec();
    block.extend((entries.len() as u16).to_be_bytes());
    for (tag, Entry(kind, count, value, _)) in &entries {
        block.extend(tag.to_be_bytes());
        block.extend(kind.to_be_bytes());
        block.extend(count.to_be_bytes());
        block.extend(*value);
        block.resize(block.len() + 4 - value.len(), 0);
    }
    block.extend([0; 4]);
    block.extend(entry.map_or(&[][..], |Entry(.., behind)| behind));
    block
}

/// The offset of the bytes behind the directory of [`exif`].
const BEHIND: [u8; 4] = [0, 0, 0, 8 + 2 + 3 * 12 + 4];

fn short(turn: u16) -> Vec<u8> {
    exif(Some(Entry(3, 1, &turn.to_be_bytes(), &[])))
}

fn xmp(turn: &str) -> Vec<u8> {
    format!(r#"<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="{turn}"/></x:xmpmeta>"#)
        .into_bytes()
}

/// The kinds of EXIF, and the turn of each.
fn blocks() -> Vec<(&'static str, Vec<u8>, u8)> {
    let entry = |kind, value, behind| exif(Some(Entry(kind, 1, value, behind)));
    vec![
        ("short", short(6), 6),
        ("long", entry(4, &[0, 0, 0, 6], &[]), 6),
        ("signed long", entry(9, &[0, 0, 0, 8], &[]), 8),
        ("signed short", entry(8, &[0, 3], &[]), 3),
        ("signed byte", entry(6, &[5], &[]), 5),
        ("byte", entry(1, &[6], &[]), 1),
        ("text", exif(Some(Entry(2, 2, b"6\0", &[]))), 1),
        ("undefined", entry(7, &[6], &[]), 1),
        ("float", entry(11, &6_f32.to_be_bytes(), &[]), 6),
        ("half", entry(11, &6.5_f32.to_be_bytes(), &[]), 1),
        ("rational", entry(5, &BEHIND, &[0, 0, 0, 14, 0, 0, 0, 2]), 7),
        ("third", entry(5, &BEHIND, &[0, 0, 0, 14, 0, 0, 0, 3]), 1),
        ("nothing", entry(5, &BEHIND, &[0, 0, 0, 14, 0, 0, 0, 0]), 1),
        ("double", entry(12, &BEHIND, &2_f64.to_be_bytes()), 2),
        ("long8", entry(16, &BEHIND, &4_u64.to_be_bytes()), 4),
        ("two", exif(Some(Entry(3, 2, &[0, 6, 0, 3], &[]))), 6),
        ("none of them", exif(Some(Entry(3, 0, &[0, 6], &[]))), 1),
        ("no such type", entry(99, &[0, 6], &[]), 1),
        ("out of range", short(9), 1),
        ("cut short", exif(Some(Entry(4, 2, &BEHIND, &[0, 0, 0, 6]))), 1),
    ]
}

fn jpeg(segments: &[Vec<u8>]) -> Vec<u8> {
    let plain = Jpeg::PLAIN.encode(&Picture::new(SIZE.0, SIZE.1, 3));
    let app1 = |contents: &Vec<u8>| [&[0xff, 0xe1][..], &(contents.len() as u16 + 2).to_be_bytes(), contents].concat();
    [&plain[..2], &segments.iter().map(app1).collect::<Vec<_>>().concat(), &plain[2..]].concat()
}

/// A PNG with chunks before its pixels, and behind them.
fn png(before: &[Vec<u8>], behind: &[Vec<u8>]) -> Vec<u8> {
    let plain = Picture::new(SIZE.0, SIZE.1, 3).png();
    let (header, end) = (8 + 25, plain.len() - 12);
    [&plain[..header], &before.concat(), &plain[header..end], &behind.concat(), &plain[end..]].concat()
}

fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(kind);
    hasher.update(data);
    [&(data.len() as u32).to_be_bytes()[..], kind, data, &hasher.finalize().to_be_bytes()].concat()
}

fn webp(flags: u8, chunks: &[(&[u8; 4], Vec<u8>)]) -> Vec<u8> {
    let plain = Picture::new(SIZE.0, SIZE.1, 3).webp();
    let side = |length: usize| (length as u32 - 1).to_le_bytes()[..3].to_vec();
    let extended = [vec![flags, 0, 0, 0], side(SIZE.0), side(SIZE.1)].concat();
    let riff = |kind: &[u8; 4], data: &[u8]| {
        let padding = vec![0; data.len() % 2];
        [&kind[..], &(data.len() as u32).to_le_bytes(), data, &padding].concat()
    };
    let rest: Vec<_> = chunks.iter().map(|(kind, data)| riff(kind, data)).collect();
    let body = [b"WEBP".to_vec(), riff(b"VP8X", &extended), plain[12..].to_vec(), rest.concat()].concat();
    riff(b"RIFF", &body)
}

/// A profile as ImageMagick writes it.
fn profile(block: &[u8]) -> Vec<u8> {
    let hex: Vec<String> = block.iter().map(|byte| format!("{byte:02x}")).collect();
    let lines: Vec<String> = hex.chunks(36).map(|line| line.concat()).collect();
    format!("\nexif\n{:8}\n{}\n", block.len(), lines.join("\n")).into_bytes()
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut case = |name: String, bytes, turn| cases.push(Case { name, bytes, turn });
    let with = |block: &[u8]| [b"Exif\0\0", block].concat();
    for (name, block, turn) in blocks() {
        case(format!("jpeg, {name}"), jpeg(&[with(&block)]), turn);
        case(format!("png, {name}"), png(&[chunk(b"eXIf", &block)], &[]), turn);
        case(format!("webp, {name}"), webp(8, &[(b"EXIF", block.clone())]), turn);
    }
    let app_xmp = |turn: &str| [b"http://ns.adobe.com/xap/1.0/\0".to_vec(), xmp(turn)].concat();
    case("jpeg, xmp".into(), jpeg(&[app_xmp("6")]), 6);
    case("jpeg, xmp and no entry".into(), jpeg(&[with(&exif(None)), app_xmp("6")]), 6);
    case("jpeg, xmp and an entry".into(), jpeg(&[app_xmp("6"), with(&short(3))]), 3);
    case("jpeg, xmp and an upright entry".into(), jpeg(&[app_xmp("6"), with(&short(1))]), 1);
    case("jpeg, xmp and an odd entry".into(), jpeg(&[app_xmp("6"), with(&short(0))]), 1);
    case("jpeg, xmp that is none".into(), jpeg(&[app_xmp("9")]), 1);
    case("jpeg, two xmp".into(), jpeg(&[app_xmp("6"), app_xmp("8")]), 8);
    case("jpeg, empty exif".into(), jpeg(&[with(&[]), app_xmp("6")]), 6);
    case("jpeg, prefix twice".into(), jpeg(&[with(&with(&short(6)))]), 6);
    let six = short(6);
    case("jpeg, exif in two".into(), jpeg(&[with(&six[..20]), with(&six[20..])]), 6);
    for (name, kind) in [("MM*", b"MM*\0"), ("II*", b"II*\0")] {
        let mut block = kind.to_vec();
        block.extend(if name == "II*" { [8, 0, 0, 0, 0, 0] } else { [0, 0, 0, 8, 0, 0] });
        case(format!("jpeg, {name} and no entries"), jpeg(&[with(&block), app_xmp("5")]), 5);
    }

    let itxt = |text: &[u8]| chunk(b"iTXt", &[b"XML:com.adobe.xmp\0\0\0\0\0", text].concat());
    let text = |kind: &[u8; 4], between: &[u8], data: &[u8]| {
        chunk(kind, &[b"Raw profile type exif\0", between, data].concat())
    };
    let raw = profile(&with(&short(6)));
    let packed = fdeflate::compress_to_vec(&raw);
    let exif_chunk = |turn: u16| chunk(b"eXIf", &short(turn));
    case("png, behind".into(), png(&[], &[exif_chunk(6)]), 6);
    case("png, before and behind".into(), png(&[exif_chunk(3)], &[exif_chunk(6)]), 6);
    case("png, xmp".into(), png(&[itxt(&xmp("6"))], &[]), 6);
    case("png, xmp behind".into(), png(&[], &[itxt(&xmp("6"))]), 6);
    case(
        "png, packed xmp".into(),
        {
            let packed = fdeflate::compress_to_vec(&xmp("7"));
            png(&[chunk(b"iTXt", &[b"XML:com.adobe.xmp\0\x01\0\0\0", &packed[..]].concat())], &[])
        },
        7,
    );
    case("png, xmp of no utf-8".into(), png(&[itxt(&[b"\xff", &xmp("6")[..]].concat())], &[]), 6);
    case("png, xmp in tEXt".into(), png(&[chunk(b"tEXt", &[b"XML:com.adobe.xmp\0", &xmp("6")[..]].concat())], &[]), 6);
    case("png, xmp and exif".into(), png(&[itxt(&xmp("6")), exif_chunk(3)], &[]), 3);
    case("png, profile".into(), png(&[text(b"tEXt", b"", &raw)], &[]), 6);
    case("png, profile behind".into(), png(&[], &[text(b"tEXt", b"", &raw)]), 6);
    case("png, packed profile".into(), png(&[text(b"zTXt", b"\0", &packed)], &[]), 6);
    case("png, profile in iTXt".into(), png(&[text(b"iTXt", b"\0\0\0\0", &raw)], &[]), 6);
    case("png, profile and exif".into(), png(&[exif_chunk(3), text(b"tEXt", b"", &raw)], &[]), 3);
    case("png, exif as text".into(), png(&[chunk(b"tEXt", &[b"exif\0", &with(&short(6))[..]].concat())], &[]), 6);
    case(
        "png, behind another frame".into(),
        {
            let frame = [&[0; 4][..], &[0, 0, 0, 37, 0, 0, 0, 23], &[0; 8], &[0, 1, 0, 1, 0, 0]].concat();
            let next = [&[0, 0, 0, 1][..], &frame[4..]].concat();
            png(
                &[chunk(b"acTL", &[0, 0, 0, 2, 0, 0, 0, 0]), chunk(b"fcTL", &frame)],
                &[chunk(b"fcTL", &next), exif_chunk(6)],
            )
        },
        1,
    );

    case("webp, xmp".into(), webp(4, &[(b"XMP ", xmp("6"))]), 6);
    case("webp, both".into(), webp(12, &[(b"EXIF", short(3)), (b"XMP ", xmp("6"))]), 3);
    case("webp, exif that is not announced".into(), webp(4, &[(b"EXIF", short(3)), (b"XMP ", xmp("6"))]), 6);
    case("webp, with a prefix".into(), webp(8, &[(b"EXIF", with(&short(6)))]), 6);
    case("webp, two".into(), webp(8, &[(b"EXIF", short(6)), (b"EXIF", short(3))]), 6);
    cases
}

/// Blocks with some bytes changed, whose orientation is what Pillow reads in them.
fn damaged() -> Vec<Case> {
    let (blocks, mut state) = (blocks(), 7_u64);
    let mut roll = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 20) as usize % below
    };
    let damage = |number: usize| {
        let (name, mut block, _) = blocks[number % blocks.len()].clone();
        for _ in 0..=roll(3) {
            let at = 8 + roll(block.len() - 8);
            block[at] = [0, 1, 2, 3, 4, 6, 8, roll(256) as u8][roll(8)];
        }
        let name = format!("png, {name}, damaged: {block:?}");
        Case { name, bytes: png(&[], &[chunk(b"eXIf", &block)]), turn: 0 }
    };
    (0..600).map(damage).collect()
}

/// Size and checksum of the pixels upright.
fn ours(bytes: &[u8]) -> (Size, u32) {
    let rgb = decode(bytes, Orientation::Exif, &ImageLimits::default(), &mut Scratch::new()).unwrap();
    (rgb.size(), crc32fast::hash(rgb.pixels()))
}

#[test]
fn a_photo_is_turned_by_whatever_says_it_first() {
    let limits = ImageLimits::default();
    for Case { name, bytes, turn } in cases() {
        let header = read_header(&bytes, Orientation::Exif, &limits).unwrap();
        assert_eq!(header.orientation, turn, "{name}");
        assert_eq!(read_header(&bytes, Orientation::Stored, &limits).unwrap().orientation, 1, "{name}");
        if header.format == Format::Jpeg {
            let indexed = IndexedJpeg::rewrite(&bytes, &limits).unwrap();
            assert_eq!(indexed.size(Orientation::Exif), header.size, "{name}: indexed");
            let again = read_header(indexed.bytes(), Orientation::Exif, &limits).unwrap();
            assert_eq!(again.orientation, turn, "{name}: indexed");
        }
    }
}

#[test]
fn pillow_turns_them_so() {
    let Some(python) = python() else {
        println!("no Python with Pillow: nothing to compare with");
        return;
    };
    let (folder, mut cases) = (tempfile::tempdir().unwrap(), cases());
    let right = cases.len();
    cases.extend(damaged());
    let place = |number: usize| folder.path().join(number.to_string());
    for (number, case) in cases.iter().enumerate() {
        std::fs::write(place(number), &case.bytes).unwrap();
    }
    let mut child =
        Command::new(python).args(["-c", UPRIGHT]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let paths: Vec<_> = (0..cases.len()).map(place).collect();
    child.stdin.take().unwrap().write_all(json!(paths).to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut differ = Vec::new();
    for (number, (case, theirs)) in cases.iter().zip(answer["found"].as_array().unwrap()).enumerate() {
        if number >= right && theirs.get("error").is_some() {
            continue;
        }
        let (size, pixels) = ours(&case.bytes);
        let ours = json!({"size": [size.width, size.height], "pixels": pixels});
        if *theirs != ours {
            differ.push(format!("{}: {theirs}, and here {ours}", case.name));
        }
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}
