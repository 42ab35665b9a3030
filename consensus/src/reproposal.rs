//! What a new view begins with: O of the paper, a pure function of the VIEW-CHANGEs (§4.4).

use std::collections::BTreeMap;

use crate::digest::Digest;
use crate::message::{ViewChange, WINDOW_MAX};
use crate::number::{Seq, View};
use crate::signed::{Signable as _, Signed};

/// The highest stable checkpoint among the VIEW-CHANGEs: min-s of the paper.
pub fn start(view_changes: &[Signed<ViewChange>]) -> Seq {
    let stables = view_changes.iter().map(|change| change.body.seq());
    stables.max().unwrap_or(Seq::ZERO)
}

/// The batch to propose again at each sequence number above [`start`] up to the highest one
/// prepared: the one prepared in the highest view, or the null batch where none is.
pub fn reproposals(view_changes: &[Signed<ViewChange>]) -> Vec<(Seq, Digest)> {
    let start = start(view_changes);
    let mut highest: BTreeMap<Seq, (View, Digest)> = BTreeMap::new();
    for certificate in view_changes
        .iter()
        .flat_map(|change| &change.body.body().prepared)
    {
        let here = (certificate.view, certificate.digest);
        let inside = start < certificate.seq && certificate.seq <= start.plus(WINDOW_MAX);
        if inside
            && highest
                .get(&certificate.seq)
                .is_none_or(|known| known.0 < here.0)
        {
            highest.insert(certificate.seq, here);
        }
    }
    let end = highest.last_key_value().map_or(start, |(seq, _)| *seq);
    let open = (start.next().get()..=end.get()).map(Seq::new);
    open.map(|seq| {
        (
            seq,
            highest
                .get(&seq)
                .map_or(Digest::NULL, |(_, digest)| *digest),
        )
    })
    .collect()
}
