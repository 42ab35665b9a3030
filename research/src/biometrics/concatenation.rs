//! Concatenated codes under soft decision and generalised minimum distance decoding (Forney 1966): the shape of the
//! product's extractor with other parameters, for research alone.
//!
//! Enrolment lays the template's signs over a random code word. A probe, laid over that, is a code word whose every
//! bit is worth something: each block gives the symbol that correlates best with it, and as reliability how much
//! better it correlates than the next best. Then the 0, 2, 4, … n − k least reliable symbols are erased, of equal
//! ones the first, and each time the rest is decoded. As in the product a tag would vouch for what comes out: a probe
//! is accepted exactly if one of these trials gives the word that was drawn.

use rand_core::Rng;

use super::reed_muller::ReedMuller;
use super::reed_solomon::Code;

/// An inner code RM(1, m) and an outer code over GF(2^(m + 1)).
#[derive(Clone, Debug)]
pub(super) struct Concatenation {
    inner: ReedMuller,
    outer: Code,
}

impl Concatenation {
    /// RM(1, `order`) with RS(`length`, `message`); `None` if there is no such code.
    pub(super) fn new(order: u32, length: usize, message: usize) -> Option<Self> {
        let inner = ReedMuller(order);
        let outer = Code::new(inner.bits(), length, message)?;
        Some(Self { inner, outer })
    }

    /// What the field calls it.
    pub(super) fn name(&self) -> String {
        let (length, message) = (self.outer.length(), self.outer.message());
        format!("RM(1,{})×RS({length},{message})", self.inner.0)
    }

    /// Bits of a message. This is how much is drawn, not how hard it is to guess.
    pub(super) fn message_bits(&self) -> u32 {
        let symbols = u32::try_from(self.outer.message()).unwrap_or(u32::MAX);
        self.inner.bits().saturating_mul(symbols)
    }

    /// A random code word, in symbols.
    pub(super) fn draw(&self, dice: &mut impl Rng) -> Vec<u8> {
        let mut message = vec![0; self.outer.message()];
        dice.fill_bytes(&mut message);
        let unused = 8_u32.saturating_sub(self.inner.bits());
        for symbol in &mut message {
            *symbol >>= unused;
        }
        self.outer.encode(&message)
    }

    /// The word laid over the template's signs; what is longer than the code is not used.
    pub(super) fn offset(&self, signs: &[f32], word: &[u8]) -> Vec<f32> {
        let code = word.iter().flat_map(|&symbol| self.inner.encode(symbol));
        signs
            .iter()
            .zip(code)
            .map(|(sign, code)| sign * code)
            .collect()
    }

    /// Whether a probe over the offset is decoded to the word.
    pub(super) fn gives(&self, probe: &[f32], offset: &[f32], word: &[u8]) -> bool {
        let laid: Vec<_> = probe
            .iter()
            .zip(offset)
            .map(|(bit, sign)| bit * sign)
            .collect();
        let (symbols, margins) = self.read(laid);
        // With more wrong symbols than there is parity, no number of erasures leaves few enough.
        let wrong = symbols
            .iter()
            .zip(word)
            .filter(|(found, sent)| found != sent);
        if wrong.count() > self.outer.parity() {
            return false;
        }
        let mut doubtful: Vec<_> = (0..).zip(margins).collect();
        doubtful.sort_by(|(_, one), (_, other)| f32::total_cmp(one, other));
        let doubtful: Vec<usize> = doubtful.into_iter().map(|(place, _)| place).collect();
        (0..=self.outer.parity()).step_by(2).any(|count| {
            let erased = doubtful.get(..count).unwrap_or_default();
            self.outer
                .correct(&symbols, erased)
                .is_some_and(|found| found == word)
        })
    }

    /// The symbol of each block, and its margin.
    fn read(&self, mut laid: Vec<f32>) -> (Vec<u8>, Vec<f32>) {
        let blocks = laid.chunks_exact_mut(self.inner.length());
        blocks.map(|block| self.inner.decode(block)).unzip()
    }
}

#[cfg(test)]
mod tests {
    use protocol::measure::draw;

    use super::*;

    /// A code, the word drawn from it, and the offset over a template of nothing but ones.
    fn laid() -> (Concatenation, Vec<u8>, Vec<f32>) {
        let code = Concatenation::new(5, 63, 51).unwrap();
        let word = code.draw(&mut draw("a word"));
        let offset = code.offset(&vec![1.0; 2016], &word);
        (code, word, offset)
    }

    /// A probe with so many blocks inverted, each bit of which is worth so much.
    fn probe(inverted: usize, worth: f32) -> Vec<f32> {
        let wrong = std::iter::repeat_n(-worth, inverted.saturating_mul(32));
        wrong.chain(std::iter::repeat(1.0)).take(2016).collect()
    }

    #[test]
    fn as_many_wrong_blocks_are_corrected_as_the_outer_code_has_errors() {
        let (code, word, offset) = laid();

        assert!(code.gives(&probe(0, 1.0), &offset, &word));
        assert!(code.gives(&probe(6, 1.1), &offset, &word));
        assert!(!code.gives(&probe(7, 1.1), &offset, &word));
    }

    #[test]
    fn twice_as_many_are_corrected_where_they_are_the_doubtful_ones() {
        let (code, word, offset) = laid();

        assert!(code.gives(&probe(12, 0.9), &offset, &word));
        assert!(!code.gives(&probe(13, 0.9), &offset, &word));
    }

    #[test]
    fn another_word_is_not_given() {
        let (code, word, offset) = laid();
        let another = code.draw(&mut draw("another"));

        assert_ne!(word, another);
        assert!(!code.gives(&probe(0, 1.0), &offset, &another));
    }
}
