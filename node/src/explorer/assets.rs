//! The three files beside the pages. They are part of the binary; nothing is loaded from elsewhere.

/// How the pages look.
pub const STYLE: &str = include_str!("style.css");
/// What scripts add to the pages.
pub const LIVE: &str = include_str!("live.js");
/// Checks a receipt in the browser, from this node or from a disk.
pub const VERIFY: &str = include_str!("verify.html");

#[cfg(test)]
mod tests {
    use sha2::{Digest as _, Sha256};

    use super::*;

    /// What stands between the first `open` and the last `close`.
    fn between(open: &str, close: &str) -> &'static str {
        let (_, rest) = VERIFY.split_once(open).unwrap();
        rest.rsplit_once(close).unwrap().0
    }

    /// A hash as policies write it.
    fn source(text: &str) -> String {
        let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut bits: Vec<u8> = Vec::new();
        for byte in Sha256::digest(text) {
            bits.extend((0..8_u8).rev().map(|place| byte >> place & 1));
        }
        let sixes = bits.chunks(6).map(|chunk| {
            let padded = chunk.iter().chain([0; 6].iter()).take(6);
            letters[usize::from(padded.fold(0, |word, bit| word << 1 | bit))]
        });
        let text: String = sixes.map(char::from).collect();
        format!("'sha256-{text}='")
    }

    #[test]
    fn the_policy_of_the_verifier_names_exactly_its_own_script_and_style() {
        let script = source(between("<script>", "</script>"));
        let style = source(between("<style>", "</style>"));

        assert!(
            VERIFY.contains(&format!("script-src {script};")),
            "put script-src {script} into the policy"
        );
        assert!(
            VERIFY.contains(&format!("style-src {style};")),
            "put style-src {style} into the policy"
        );
        assert_eq!(VERIFY.matches("<script").count(), 1);
    }

    #[test]
    fn the_verifier_needs_no_other_file() {
        for other in ["src=", "@import", "url(", "<link", "<img", "import("] {
            assert!(!VERIFY.contains(other), "{other}");
        }
        assert!(VERIFY.contains("default-src 'none'"));
    }

    #[test]
    fn the_verifier_can_compute_its_own_hash() {
        // It hashes what the browser makes of it, which is the file only if the file is written as browsers write.
        assert!(VERIFY.starts_with("<!DOCTYPE html><html lang=\"en\"><head>\n"));
        assert!(VERIFY.ends_with("</script></body></html>\n"));
        assert!(VERIFY.contains("</head><body>"));
    }

    #[test]
    fn a_page_stays_light() {
        assert!(LIVE.len() < 8 << 10, "{}", LIVE.len());
        assert!(STYLE.len() + LIVE.len() < 20 << 10);
        assert!(VERIFY.len() < 60 << 10);
    }

    #[test]
    fn the_verifier_knows_every_refusal_of_the_ledger_in_wire_order() {
        use contract::{Outcome, Refused, SuiteId, encoding};

        let names = between("const REFUSALS = [", "];\nconst SUITE_NOT_ALLOWED");
        let count = names.matches('"').count() / 2;
        let last = encoding::encode(&Outcome::Refused(Refused::TooManyDisclosures));
        let suite = encoding::encode(&Outcome::Refused(Refused::SuiteNotAllowed(
            SuiteId::WU_2021,
        )));

        assert_eq!(usize::from(last[4]) + 1, count);
        assert!(VERIFY.contains(&format!("SUITE_NOT_ALLOWED = {};", suite[4])));
    }
}
