//! Datasets too large to be kept for a test: a bucket whose objects are made up when they are asked for, and tar files
//! of members of half a kilobyte.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, BufWriter, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use anyhow::{Context as _, Result};
use headwater_testdata::{Encoding, Picture, Texture};

/// Classes of a bucket, as ImageNet has.
const CLASSES: u64 = 1000;
/// Keys of a page of a listing, as S3 has.
const PAGE: u64 = 1000;
/// One of so many objects is another, once the bucket has changed.
const CHANGED: u64 = 1000;
/// What stands before a tar file's member, and what each is filled up to.
const BLOCK: usize = 512;

/// A bucket `photos` of made-up objects, by the protocol of S3. It serves until the process ends.
pub(crate) struct MadeUpBucket {
    pub(crate) address: String,
    objects: Arc<Objects>,
}

/// Objects by their numbers: all have the same photo, and each an ETag of its own.
struct Objects {
    count: u64,
    photo: Vec<u8>,
    has_changed: AtomicBool,
}

// === impl MadeUpBucket ===

impl MadeUpBucket {
    /// A bucket of so many objects.
    ///
    /// # Errors
    /// There is no port.
    pub(crate) fn start(count: u64) -> Result<Self> {
        let photo = Encoding::JPEG.encode(&Picture::of(Texture::Rings, 96, 96, 1))?;
        let objects = Arc::new(Objects { count, photo, has_changed: AtomicBool::new(false) });
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = format!("http://{}", listener.local_addr()?);
        let served = Arc::clone(&objects);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let objects = Arc::clone(&served);
                std::thread::spawn(move || objects.serve(&stream));
            }
        });
        Ok(Self { address, objects })
    }

    /// From now on one of a thousand objects is another.
    pub(crate) fn change(&self) {
        self.objects.has_changed.store(true, Relaxed);
    }

    /// Bytes of all keys together.
    pub(crate) fn key_bytes(&self) -> u64 {
        (0..self.objects.count).map(|number| self.objects.key(number).len() as u64).sum()
    }
}

// === impl Objects ===

impl Objects {
    /// Answers one request after the other on a connection.
    fn serve(&self, stream: &TcpStream) -> Option<()> {
        let (mut lines, mut out) = (BufReader::new(stream).lines(), BufWriter::new(stream));
        loop {
            let first = lines.next()?.ok()?;
            // The request has no body: its head ends with an empty line.
            while !lines.next()?.ok()?.is_empty() {}
            let target = first.split(' ').nth(1)?;
            self.answer(&mut out, target).and_then(|()| out.flush()).ok()?;
        }
    }

    fn answer(&self, out: &mut impl Write, target: &str) -> io::Result<()> {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        if query.contains("list-type=2") {
            let text = self.page(query);
            write!(out, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{text}", text.len())?;
            return Ok(());
        }
        let Some(number) = self.number(&decoded(path)) else {
            let text = "<Error><Code>NoSuchKey</Code></Error>";
            return write!(out, "HTTP/1.1 404 Not Found\r\nContent-Length: {}\r\n\r\n{text}", text.len());
        };
        write!(
            out,
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nETag: \"{:032x}\"\r\nLast-Modified: Thu, 01 Jan 2026 00:00:00 \
             GMT\r\n\r\n",
            self.photo.len(),
            self.tag(number)
        )?;
        out.write_all(&self.photo)
    }

    /// A page of a listing: of class folders, or of what is in one.
    fn page(&self, query: &str) -> String {
        let asked = |name: &str| {
            let value = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
            value.map(decoded).unwrap_or_default()
        };
        let per_class = self.per_class();
        let (all, is_deep) = match asked("prefix").trim_start_matches('n').trim_end_matches('/').parse::<u64>() {
            Ok(class) => (class * per_class..self.count.min((class + 1) * per_class), true),
            Err(_) => (0..self.count.div_ceil(per_class), false),
        };
        let first = asked("continuation-token").parse().unwrap_or(all.start);
        let end = all.end.min(first + PAGE);
        let mut text = "<ListBucketResult>".to_owned();
        for number in first..end {
            let _ = match is_deep {
                true => write!(
                    text,
                    "<Contents><Key>{}</Key><ETag>\"{:032x}\"</ETag><Size>{}</Size></Contents>",
                    self.key(number),
                    self.tag(number),
                    self.photo.len()
                ),
                false => write!(text, "<CommonPrefixes><Prefix>n{number:08}/</Prefix></CommonPrefixes>"),
            };
        }
        let more = end < all.end;
        let _ = write!(text, "<IsTruncated>{more}</IsTruncated>");
        if more {
            let _ = write!(text, "<NextContinuationToken>{end}</NextContinuationToken>");
        }
        text + "</ListBucketResult>"
    }

    /// The object of a path such as `/photos/n00000012/n00000012_120.JPEG`.
    fn number(&self, path: &str) -> Option<u64> {
        let number = path.rsplit_once('_')?.1.strip_suffix(".JPEG")?.parse().ok()?;
        (path.strip_prefix("/photos/")? == self.key(number)).then_some(number)
    }

    /// As in ImageNet: some 28 bytes.
    fn key(&self, number: u64) -> String {
        let class = number / self.per_class();
        format!("n{class:08}/n{class:08}_{number}.JPEG")
    }

    fn tag(&self, number: u64) -> u128 {
        let is_other = number.is_multiple_of(CHANGED) && self.has_changed.load(Relaxed);
        u128::from(number) << 1 | u128::from(is_other)
    }

    fn per_class(&self) -> u64 {
        self.count.div_ceil(CLASSES)
    }
}

/// Writes tar files of so many members together, as WebDataset's programs would: gives their bytes.
///
/// # Errors
/// There is no room.
pub(crate) fn write_shards(folder: &Path, shards: usize, members: usize) -> Result<u64> {
    std::fs::create_dir_all(folder)?;
    let mut bytes = 0;
    for shard in 0..shards {
        let path = folder.join(format!("{shard:06}.tar"));
        let mut file = BufWriter::new(File::create(&path)?);
        for member in (shard..members).step_by(shards) {
            file.write_all(&header(&format!("n{:08}/n{member:08}.JPEG", member % CLASSES as usize)))?;
            file.write_all(&[b'x'; BLOCK])?;
        }
        file.write_all(&[0; 2 * BLOCK])?;
        let file = file.into_inner().with_context(|| path.display().to_string())?;
        bytes += file.metadata()?.len();
    }
    Ok(bytes)
}

/// The header of a member of one block.
fn header(name: &str) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    let fields = [(0, name), (100, "0000644"), (124, "00000001000"), (148, "        "), (156, "0"), (257, "ustar")];
    for (at, text) in fields {
        block[at..at + text.len()].copy_from_slice(text.as_bytes());
    }
    let sum: u64 = block.iter().map(|byte| u64::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}

/// A path or a value of a query without its escapes, of which only that of the slash comes.
fn decoded(text: &str) -> String {
    text.replace("%2F", "/")
}
