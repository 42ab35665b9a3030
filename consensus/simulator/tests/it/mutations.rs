//! ByzzBench's 27 mutations of PBFT, one by one: agreement and bounded liveness under each.

use simulator::{Character, Mutation, Phase, Step};

use crate::withstands;

/// The seeds that each mutation is tried in.
const SEEDS: u64 = 16;

/// Declares the test of a mutation under ByzzBench's name for it.
macro_rules! withstood {
    ($($name:ident: $mutation:expr,)*) => {
        /// Every mutation that has a test.
        const TRIED: &[Mutation] = &[$($mutation),*];

        $(
            #[test]
            fn $name() {
                let runs = withstands(Character::Mutator($mutation), SEEDS);

                assert!(runs.iter().any(|run| run.lies > 0), "no message was changed");
            }
        )*
    };
}

withstood! {
    pbft_preprepare_view_inc: Mutation::View(Phase::PrePrepare, Step::Up),
    pbft_preprepare_view_dec: Mutation::View(Phase::PrePrepare, Step::Down),
    pbft_preprepare_seq_inc: Mutation::Seq(Phase::PrePrepare, Step::Up),
    pbft_preprepare_seq_dec: Mutation::Seq(Phase::PrePrepare, Step::Down),
    pbft_preprepare_digest_modify: Mutation::Digest(Phase::PrePrepare),
    pbft_preprepare_operation_modify: Mutation::Operation,
    pbft_prepare_view_inc: Mutation::View(Phase::Prepare, Step::Up),
    pbft_prepare_view_dec: Mutation::View(Phase::Prepare, Step::Down),
    pbft_prepare_seq_inc: Mutation::Seq(Phase::Prepare, Step::Up),
    pbft_prepare_seq_dec: Mutation::Seq(Phase::Prepare, Step::Down),
    pbft_prepare_digest_modify: Mutation::Digest(Phase::Prepare),
    pbft_commit_view_inc: Mutation::View(Phase::Commit, Step::Up),
    pbft_commit_view_dec: Mutation::View(Phase::Commit, Step::Down),
    pbft_commit_seq_inc: Mutation::Seq(Phase::Commit, Step::Up),
    pbft_commit_seq_dec: Mutation::Seq(Phase::Commit, Step::Down),
    pbft_commit_digest_modify: Mutation::Digest(Phase::Commit),
    pbft_commit_request_replicaid_invalid: Mutation::Sender,
    pbft_viewchange_view_inc: Mutation::ViewChangeView(Step::Up),
    pbft_viewchange_view_dec: Mutation::ViewChangeView(Step::Down),
    pbft_viewchange_seq_inc: Mutation::ViewChangeSeq(Step::Up),
    pbft_viewchange_seq_dec: Mutation::ViewChangeSeq(Step::Down),
    pbft_viewchange_checkpoint_proofs_empty: Mutation::NoCheckpointProof,
    pbft_viewchange_prepared_proofs_empty: Mutation::NoPreparedProofs,
    pbft_reply_view_inc: Mutation::ReplyView(Step::Up),
    pbft_reply_view_dec: Mutation::ReplyView(Step::Down),
    pbft_reply_result_wrong: Mutation::ReplyResult,
    pbft_reply_timestamp_wrong: Mutation::ReplyTime,
}

#[test]
fn every_mutation_has_its_test() {
    assert_eq!(TRIED, Mutation::ALL);
}
