//! Samples to pixels with vectors: even and odd ones apart, in 16 bits each.

/// The conversion for vectors of one width, in steps of the same names for all.
macro_rules! pixels {
    ($features:literal) => {
        /// Even and odd pixels, in 16 bits each.
        type Pair = [Vector; 2];

        /// Makes pixels as [`pixels`](crate::formats::jpeg::samples::pixels) does.
        #[target_feature(enable = $features)]
        pub(in crate::formats::jpeg::samples) fn pixels(samples: &Samples<'_>, out: &mut [u8]) {
            let full = out.len() / BYTES;
            let (whole, rest) = out.split_at_mut(full * BYTES);
            for (i, out) in whole.as_chunks_mut::<BYTES>().0.iter_mut().enumerate() {
                write(some(samples, i * PIXELS), out);
            }
            if !rest.is_empty() {
                let mut last = [0; BYTES];
                write(some(samples, full * PIXELS), &mut last);
                rest.copy_from_slice(&last[..rest.len()]);
            }
        }

        /// Red, green and blue of as many pixels as are made at once, from number `x` on.
        #[inline]
        #[target_feature(enable = $features)]
        fn some(samples: &Samples<'_>, x: usize) -> [Vector; CHANNELS] {
            match *samples {
                Samples::Grey(grey) => [load(grey, x); CHANNELS],
                Samples::Rgb([red, green, blue]) => [load(red, x), load(green, x), load(blue, x)],
                Samples::YCbCr { y, chroma: [blue, red] } => {
                    rgb(split(load(y, x)), [split(load(blue, x)), split(load(red, x))])
                }
                Samples::Halved { y, chroma: [blue, red] } => {
                    let of =
                        |row: &[u8]| halved([sixteen(row, x / 2), sixteen(row, x / 2 + 1), sixteen(row, x / 2 + 2)]);
                    rgb(split(load(y, x)), [of(blue), of(red)])
                }
                Samples::Quartered { y, chroma: [blue, red] } => {
                    let of = |[near, far]: [&[u8]; 2]| {
                        let column = |x| triple_and(sixteen(near, x), sixteen(far, x));
                        quartered([column(x / 2), column(x / 2 + 1), column(x / 2 + 2)])
                    };
                    rgb(split(load(y, x)), [of(blue), of(red)])
                }
            }
        }

        #[inline]
        #[target_feature(enable = $features)]
        fn split(bytes: Vector) -> Pair {
            [and(bytes, spread16(0xff)), unsigned_shift16::<8>(bytes)]
        }

        /// Three times the one, and the other.
        #[inline]
        #[target_feature(enable = $features)]
        fn triple_and(three: Vector, one: Vector) -> Vector {
            add16(add16(three, three), add16(three, one))
        }

        /// Samples between their neighbours on the left and on the right.
        #[inline]
        #[target_feature(enable = $features)]
        fn halved([left, middle, right]: [Vector; 3]) -> Pair {
            let round = |sum, half| unsigned_shift16::<2>(add16(sum, spread16(half)));
            [round(triple_and(middle, left), 1), round(triple_and(middle, right), 2)]
        }

        #[inline]
        #[target_feature(enable = $features)]
        fn quartered([left, middle, right]: [Vector; 3]) -> Pair {
            let round = |sum, half| unsigned_shift16::<4>(add16(sum, spread16(half)));
            [round(triple_and(middle, left), 8), round(triple_and(middle, right), 7)]
        }

        #[inline]
        #[target_feature(enable = $features)]
        fn rgb(y: Pair, [blue, red]: [Pair; 2]) -> [Vector; CHANNELS] {
            let (even, odd) = (colors(y[0], blue[0], red[0]), colors(y[1], blue[1], red[1]));
            [woven(even[0], odd[0]), woven(even[1], odd[1]), woven(even[2], odd[2])]
        }

        /// `ycc_rgb_convert` in 16 bits: factors above 1 are split into what is added whole and a rest; see the tests
        /// for all 256 and 65,536 cases.
        #[inline]
        #[target_feature(enable = $features)]
        fn colors(y: Vector, blue: Vector, red: Vector) -> [Vector; CHANNELS] {
            let center = spread16(128);
            let (blue, red) = (sub16(blue, center), sub16(red, center));
            let twice = |v| add16(v, v);
            // (2 v x f / 2^16 + 1) / 2, rounded down both times.
            let scaled = |v, factor| {
                let product = mul_high16(twice(v), spread16(factor));
                shift16::<1>(add16(product, spread16(1)))
            };
            let r = add16(y, add16(red, scaled(red, 26345)));
            let b = add16(y, add16(twice(blue), scaled(blue, -14942)));
            // -0.34414 b + 0.28586 r, and from that r.
            let green = |pairs| shift32::<16>(add32(dot(pairs, -22554, 18734), spread32(1 << 15)));
            let g = narrow32(green(low16(blue, red)), green(high16(blue, red)));
            [r, add16(y, sub16(g, red)), b]
        }
    };
}

pub(in crate::formats::jpeg::samples) mod avx2;
pub(in crate::formats::jpeg::samples) mod avx512;
