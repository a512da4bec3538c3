//! The sets of instructions that the inner loops are written for.

/// A set of instructions that this machine has. Every level computes the same bits, each at its speed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level(Set);

/// A set of instructions. Only a [`Level`] holds one, and only if it was found on this machine: that makes calls into
/// the set's code sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Set {
    /// The instructions that every machine of the architecture has.
    Portable,
    /// 256-bit vectors, and free shifts (AVX2, FMA, BMI): most x86 machines.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// 512-bit vectors that look up bytes and multiply them (VBMI, VNNI): servers since Ice Lake and Zen 4.
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

// === impl Level ===

impl Level {
    /// The level that every machine has.
    pub const PORTABLE: Self = Self(Set::Portable);

    /// The levels of this machine, the slowest first.
    pub fn available() -> impl Iterator<Item = Self> {
        #[cfg(target_arch = "x86_64")]
        let vectors = {
            let avx2 = is_x86_feature_detected!("avx2")
                && is_x86_feature_detected!("fma")
                && is_x86_feature_detected!("bmi1")
                && is_x86_feature_detected!("bmi2");
            let avx512 = avx2
                && is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512vbmi")
                && is_x86_feature_detected!("avx512vnni");
            [avx2.then_some(Self(Set::Avx2)), avx512.then_some(Self(Set::Avx512))]
        };
        #[cfg(not(target_arch = "x86_64"))]
        let vectors: [Option<Self>; 0] = [];
        std::iter::once(Self::PORTABLE).chain(vectors.into_iter().flatten())
    }

    /// Whether the level has shifts by a number in any register (BMI2).
    #[cfg(target_arch = "x86_64")]
    pub(crate) fn shifts_freely(self) -> bool {
        self.0 != Set::Portable
    }

    /// The set itself, to choose code for it.
    pub(crate) fn set(self) -> Set {
        self.0
    }
}

impl Default for Level {
    /// The fastest level of this machine.
    fn default() -> Self {
        Self::available().last().unwrap_or(Self::PORTABLE)
    }
}

impl std::fmt::Display for Level {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.0 {
            Set::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            Set::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Set::Avx512 => "avx512",
        })
    }
}
