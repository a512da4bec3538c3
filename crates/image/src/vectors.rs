//! Vectors of x86 machines: steps of one instruction each, of the same names for either width.

/// Steps with two vectors.
macro_rules! steps {
    ($features:literal, { $($name:ident: $instruction:ident,)* }) => {
        $(
            #[inline]
            #[target_feature(enable = $features)]
            pub(crate) fn $name(a: Vector, b: Vector) -> Vector {
                $instruction(a, b)
            }
        )*
    };
}

/// Shifts to the right by a constant.
macro_rules! shifts {
    ($features:literal, { $($name:ident: $instruction:ident,)* }) => {
        $(
            #[inline]
            #[target_feature(enable = $features)]
            pub(crate) fn $name<const COUNT: Count>(v: Vector) -> Vector {
                $instruction::<COUNT>(v)
            }
        )*
    };
}

pub(crate) mod wide256 {
    //! Vectors of 256 bits.
    use std::arch::x86_64::*;

    pub(crate) type Vector = __m256i;
    /// The type of a shift's count, which is a constant.
    pub(crate) type Count = i32;

    /// Products of neighbours with `a` and `b`, added up.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(crate) fn dot(pairs: Vector, a: i16, b: i16) -> Vector {
        _mm256_madd_epi16(pairs, _mm256_set1_epi32(i32::from(b) << 16 | i32::from(a) & 0xffff))
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    pub(crate) fn zero() -> Vector {
        _mm256_setzero_si256()
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    pub(crate) fn spread16(value: i16) -> Vector {
        _mm256_set1_epi16(value)
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    pub(crate) fn spread32(value: i32) -> Vector {
        _mm256_set1_epi32(value)
    }

    shifts!("avx2", {
        shift16: _mm256_srai_epi16,
        shift32: _mm256_srai_epi32,
        unsigned_shift16: _mm256_srli_epi16,
    });

    steps!("avx2", {
        and: _mm256_and_si256,
        mul16: _mm256_mullo_epi16,
        mul_high16: _mm256_mulhi_epi16,
        add16: _mm256_add_epi16,
        sub16: _mm256_sub_epi16,
        add32: _mm256_add_epi32,
        sub32: _mm256_sub_epi32,
        low8: _mm256_unpacklo_epi8,
        high8: _mm256_unpackhi_epi8,
        low16: _mm256_unpacklo_epi16,
        high16: _mm256_unpackhi_epi16,
        low32: _mm256_unpacklo_epi32,
        high32: _mm256_unpackhi_epi32,
        low64: _mm256_unpacklo_epi64,
        high64: _mm256_unpackhi_epi64,
        shuffle8: _mm256_shuffle_epi8,
        narrow16: _mm256_packus_epi16,
        narrow32: _mm256_packs_epi32,
    });
}

pub(crate) mod wide512 {
    //! Vectors of 512 bits.
    use std::arch::x86_64::*;

    pub(crate) type Vector = __m512i;
    /// The type of a shift's count, which is a constant.
    pub(crate) type Count = u32;

    /// Products of neighbours with `a` and `b`, added up.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    pub(crate) fn dot(pairs: Vector, a: i16, b: i16) -> Vector {
        _mm512_madd_epi16(pairs, _mm512_set1_epi32(i32::from(b) << 16 | i32::from(a) & 0xffff))
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    pub(crate) fn zero() -> Vector {
        _mm512_setzero_si512()
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    pub(crate) fn spread16(value: i16) -> Vector {
        _mm512_set1_epi16(value)
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    pub(crate) fn spread32(value: i32) -> Vector {
        _mm512_set1_epi32(value)
    }

    shifts!("avx512f,avx512bw", {
        shift16: _mm512_srai_epi16,
        shift32: _mm512_srai_epi32,
        unsigned_shift16: _mm512_srli_epi16,
    });

    steps!("avx512f,avx512bw", {
        and: _mm512_and_si512,
        mul16: _mm512_mullo_epi16,
        mul_high16: _mm512_mulhi_epi16,
        add16: _mm512_add_epi16,
        sub16: _mm512_sub_epi16,
        add32: _mm512_add_epi32,
        sub32: _mm512_sub_epi32,
        low8: _mm512_unpacklo_epi8,
        high8: _mm512_unpackhi_epi8,
        low16: _mm512_unpacklo_epi16,
        high16: _mm512_unpackhi_epi16,
        low32: _mm512_unpacklo_epi32,
        high32: _mm512_unpackhi_epi32,
        low64: _mm512_unpacklo_epi64,
        high64: _mm512_unpackhi_epi64,
        shuffle8: _mm512_shuffle_epi8,
        narrow16: _mm512_packus_epi16,
        narrow32: _mm512_packs_epi32,
    });
}
