//! JPEGs written coefficient by coefficient, in layouts that no encoder at hand makes: any sampling factors, component
//! ids and markers, one scan or several. Their pictures are noise.

use proptest::prelude::*;

/// A sequential JPEG of random coefficients.
#[derive(Clone, Debug)]
pub(crate) struct Coded {
    pub(crate) width: u16,
    pub(crate) height: u16,
    /// Horizontal and vertical factor of each component.
    pub(crate) sampling: Vec<(u8, u8)>,
    pub(crate) marker: ColorMarker,
    /// Component ids.
    pub(crate) ids: [u8; 3],
    /// Every component in a scan of its own.
    pub(crate) separate: bool,
    /// MCUs between restart markers; 0 for none.
    pub(crate) restart: u16,
    /// Largest step from one DC coefficient to the next.
    pub(crate) step: i32,
    pub(crate) seed: u64,
}

/// The marker that states how coefficients become colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ColorMarker {
    None,
    Jfif,
    Adobe(u8),
}

/// Bits, first one highest, with 0xff stuffed.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    pending: u32,
    count: u32,
}

struct Dice(u64);

/// Huffman tables of the simplest kind: DC categories have 4 bits, AC symbols 8, in order of the symbol.
const DC_SYMBOLS: u8 = 12;
const AC_SIZES: u8 = 10;

impl Coded {
    pub(crate) fn any() -> impl Strategy<Value = Self> {
        let factor = || prop::sample::select(vec![1_u8, 1, 1, 2, 2, 3, 4]);
        let color = prop::sample::select(vec![
            ColorMarker::None,
            ColorMarker::Jfif,
            ColorMarker::Adobe(0),
            ColorMarker::Adobe(1),
        ]);
        let ids = prop::sample::select(vec![[1, 2, 3], [0, 1, 2], *b"RGB", [1, 34, 35]]);
        let grey = (factor(), factor()).prop_map(|one| vec![one]);
        let three = prop::collection::vec((factor(), factor()), 3);
        let common = prop::sample::select(vec![(1, 1), (2, 1), (2, 2), (1, 2), (4, 1), (1, 4), (4, 2)]);
        let usual = common.prop_map(|luma| vec![luma, (1, 1), (1, 1)]);
        let sampling = prop_oneof![1 => grey, 2 => three, 3 => usual];
        let sides = prop_oneof![(1_u16..9, 1_u16..9), (1_u16..150, 1_u16..120)];
        (sides, sampling, color, ids, any::<bool>(), 0_u16..5, any::<u64>()).prop_map(
            |((width, height), sampling, marker, ids, separate, restart, seed)| Self {
                width,
                height,
                sampling,
                marker,
                ids,
                separate,
                restart,
                step: 40,
                seed,
            },
        )
    }

    /// Whether libjpeg decodes this layout, and one scan can hold it.
    pub(crate) fn fits_one_scan(&self) -> bool {
        let (widest, tallest) = self.largest();
        let blocks: u32 = self.sampling.iter().map(|&(h, v)| u32::from(h) * u32::from(v)).sum();
        self.sampling.iter().all(|&(h, v)| widest % h == 0 && tallest % v == 0)
            && (self.sampling.len() == 1 || blocks <= 10)
    }

    fn largest(&self) -> (u8, u8) {
        self.sampling.iter().fold((1, 1), |(h, v), part| (h.max(part.0), v.max(part.1)))
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = vec![0xff, 0xd8];
        match self.marker {
            ColorMarker::None => {}
            ColorMarker::Jfif => segment(&mut out, 0xe0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0"),
            ColorMarker::Adobe(transform) => {
                segment(&mut out, 0xee, &[b"Adobe\0\x64\0\0\0\0", &[transform][..]].concat());
            }
        }
        for slot in 0..2 {
            let table: Vec<u8> = (0..64).map(|at| 1 + slot * 3 + at / 5).collect();
            segment(&mut out, 0xdb, &[&[slot], &table[..]].concat());
        }
        let count = self.sampling.len();
        let [h1, h0] = self.height.to_be_bytes();
        let [w1, w0] = self.width.to_be_bytes();
        let mut frame = vec![8, h1, h0, w1, w0, count as u8];
        for (at, (h, v)) in self.sampling.iter().enumerate() {
            frame.extend([self.ids[at], h << 4 | v, u8::from(at > 0)]);
        }
        segment(&mut out, 0xc0, &frame);
        let mut lengths = [0_u8; 16];
        lengths[3] = DC_SYMBOLS;
        segment(&mut out, 0xc4, &[&[0], &lengths[..], &(0..DC_SYMBOLS).collect::<Vec<_>>()].concat());
        lengths = [0; 16];
        lengths[7] = ac_symbols().len() as u8;
        segment(&mut out, 0xc4, &[&[0x10], &lengths[..], &ac_symbols()].concat());
        if self.restart > 0 {
            segment(&mut out, 0xdd, &self.restart.to_be_bytes());
        }
        let mut dice = Dice(self.seed | 1);
        let components: Vec<usize> = (0..count).collect();
        let blocks: u32 = self.sampling.iter().map(|&(h, v)| u32::from(h) * u32::from(v)).sum();
        // Components with more blocks than an MCU may have can only be coded in scans of their own.
        let scan = if self.separate || count > 1 && blocks > 10 { 1 } else { count };
        components.chunks(scan).for_each(|scan| self.scan(scan, &mut dice, &mut out));
        out.extend([0xff, 0xd9]);
        out
    }

    fn scan(&self, components: &[usize], dice: &mut Dice, out: &mut Vec<u8>) {
        let mut header = vec![components.len() as u8];
        components.iter().for_each(|&at| header.extend([self.ids[at], 0]));
        header.extend([0, 63, 0]);
        segment(out, 0xda, &header);
        let (widest, tallest) = self.largest();
        let across = |side: u16, pixels: u32| u32::from(side).div_ceil(pixels);
        let (mcus, each) = match components {
            // A component alone is coded block by block, as many as its samples take.
            &[at] => {
                let (h, v) = self.sampling[at];
                let samples = |side: u16, part: u8, all: u8| across(side * u16::from(part), u32::from(all));
                let width = samples(self.width, h, widest).div_ceil(8);
                (width * samples(self.height, v, tallest).div_ceil(8), vec![(at, 1)])
            }
            _ => {
                let mcus = across(self.width, 8 * u32::from(widest)) * across(self.height, 8 * u32::from(tallest));
                let blocks = |&at: &usize| (at, self.sampling[at].0 * self.sampling[at].1);
                (mcus, components.iter().map(blocks).collect())
            }
        };
        let mut bits = Bits::default();
        let mut last = [0; 3];
        for mcu in 0..mcus {
            let restart = u32::from(self.restart);
            if restart > 0 && mcu > 0 && mcu % restart == 0 {
                bits.flush();
                bits.bytes.extend([0xff, 0xd0 | ((mcu / restart - 1) % 8) as u8]);
                last = [0; 3];
            }
            for &(at, blocks) in &each {
                for _ in 0..blocks {
                    self.block(&mut last[at], dice, &mut bits);
                }
            }
        }
        bits.flush();
        out.extend(bits.bytes);
    }

    fn block(&self, last: &mut i32, dice: &mut Dice, bits: &mut Bits) {
        let step = dice.below(2 * self.step + 1) - self.step;
        // Within what pixels can be, unless steps are made to leave it.
        let step = if self.step < 100 && (*last + step).abs() > 200 { -step } else { step };
        *last += step;
        bits.number(step, |bits, size| bits.put(size.into(), 4));
        let mut at = 1;
        loop {
            let run = dice.below(12);
            at += run + 1;
            if at > 63 || dice.below(4) == 0 {
                break bits.symbol(0);
            }
            let value = 1 + dice.below(30);
            let value = if dice.below(2) == 0 { value } else { -value };
            bits.number(value, |bits, size| bits.symbol((run as u8) << 4 | size));
        }
    }
}

/// A progressive JPEG of 2048 x 2048 grey pixels in a bit for each block: a sequential one takes two.
pub(crate) fn grey_of_one_bit_a_block() -> Vec<u8> {
    const BLOCKS: usize = 256 * 256;
    let mut out = vec![0xff, 0xd8];
    segment(&mut out, 0xdb, &[&[0][..], &[1; 64]].concat());
    segment(&mut out, 0xc2, &[8, 8, 0, 8, 0, 1, 1, 0x11, 0]);
    let mut lengths = [0_u8; 16];
    lengths[0] = 1;
    // One code of one bit in each table: no step of the DC coefficient, and an end of 16384 blocks and more.
    segment(&mut out, 0xc4, &[&[0], &lengths[..], &[0]].concat());
    segment(&mut out, 0xc4, &[&[0x10], &lengths[..], &[0xe0]].concat());
    segment(&mut out, 0xda, &[1, 1, 0, 0, 0, 0]);
    out.extend([0; BLOCKS / 8]);
    segment(&mut out, 0xda, &[1, 1, 0, 1, 63, 0]);
    let mut bits = Bits::default();
    (0..BLOCKS / 16384).for_each(|_| bits.put(0, 15));
    bits.flush();
    out.extend(bits.bytes);
    out.extend([0xff, 0xd9]);
    out
}

fn ac_symbols() -> Vec<u8> {
    let sized = (0..16_u8).flat_map(|run| (1..=AC_SIZES).map(move |size| run << 4 | size));
    [0, 0xf0].into_iter().chain(sized).collect()
}

fn segment(out: &mut Vec<u8>, marker: u8, contents: &[u8]) {
    out.extend([0xff, marker]);
    out.extend((contents.len() as u16 + 2).to_be_bytes());
    out.extend(contents);
}

impl Bits {
    fn put(&mut self, value: u32, count: u32) {
        self.pending = self.pending << count | value & ((1 << count) - 1);
        self.count += count;
        while self.count >= 8 {
            let byte = (self.pending >> (self.count - 8)) as u8;
            self.bytes.push(byte);
            if byte == 0xff {
                self.bytes.push(0);
            }
            self.count -= 8;
        }
    }

    fn symbol(&mut self, symbol: u8) {
        let code = ac_symbols().iter().position(|&known| known == symbol).unwrap();
        self.put(code as u32, 8);
    }

    /// A category, and the number's bits behind it.
    fn number(&mut self, value: i32, category: impl FnOnce(&mut Self, u8)) {
        let size = 32 - value.unsigned_abs().leading_zeros();
        category(self, size as u8);
        self.put(if value < 0 { value - 1 } else { value } as u32, size);
    }

    fn flush(&mut self) {
        if self.count > 0 {
            self.put(0x7f, 8 - self.count);
        }
    }
}

impl Dice {
    fn below(&mut self, limit: i32) -> i32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 33) % limit as u64) as i32
    }
}
