//! Differences as tokens: small ones each have their own, larger ones share it with those of the same upper bits, and
//! have their lower bits beside it.
//!
//! ```text
//! zigzag   0 .. 15 | 16 .. 19, 20 .. 23, 24 .. 27, 28 .. 31 | 32 .. 39, ...     four to an octave
//! token    0 .. 15 | 16        17        18        19       | 20
//! bits        0    |              2                         |  3
//! ```

/// Tokens that there are.
pub(super) const TOKENS: usize = 128;

/// Numbers below this are tokens themselves.
const PLAIN: u32 = 16;

/// The smallest number of each token.
pub(super) static FIRST: [u32; TOKENS] = first_of_all();

/// A whole number as one without a sign: 0, -1, 1, -2 are 0, 1, 2, 3.
#[inline(always)]
pub(super) fn zigzag(difference: i32) -> u32 {
    (difference << 1 ^ difference >> 31) as u32
}

/// The number again.
#[inline(always)]
pub(super) fn unzigzag(number: u32) -> u32 {
    number >> 1 ^ (number & 1).wrapping_neg()
}

/// The token of a number.
#[inline(always)]
pub(super) fn token(number: u32) -> usize {
    let octave = (number | PLAIN).ilog2();
    let large = PLAIN + ((octave - 4) << 2) + (number >> (octave - 2) & 3);
    (if number < PLAIN { number } else { large }) as usize
}

/// How many bits stand beside a token.
#[inline(always)]
pub(super) const fn extra_bits(token: usize) -> u32 {
    if token < PLAIN as usize { 0 } else { (token as u32 - PLAIN) / 4 + 2 }
}

const fn first_of_all() -> [u32; TOKENS] {
    let mut first = [0; TOKENS];
    let mut token = 0;
    while token < TOKENS {
        let upper = token as u32 % 4 + 4;
        first[token] = if token < PLAIN as usize { token as u32 } else { upper << extra_bits(token) };
        token += 1;
    }
    first
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_and_their_bits_give_every_number_once() {
        for (token_of, &first) in FIRST.iter().enumerate() {
            let last = u64::from(first) + (1 << extra_bits(token_of)) - 1;
            assert_eq!((token(first), token(last as u32)), (token_of, token_of));
            let next = FIRST.get(token_of + 1).map_or(1 << 32, |next| u64::from(*next));
            assert_eq!(last + 1, next);
        }
    }

    #[test]
    fn numbers_of_either_sign_come_back() {
        for number in [0, 1, -1, 2, -300, i32::MAX, i32::MIN] {
            assert_eq!(unzigzag(zigzag(number)) as i32, number);
        }
        assert_eq!([0, -1, 1, -2].map(zigzag), [0, 1, 2, 3]);
    }
}
