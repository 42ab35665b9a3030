//! A member's key is renewed while its node runs: the old key votes to the end of the epoch, the new one from the next
//! block on, and no crash leaves a member that votes with both or with none.

use consensus::{ChainId, Epoch, Standing};
use contract::{
    Call, Height, Outcome, Output, PublicKey, SignatureBytes,
    contracts::membership::{MembershipChange, Renewal, renewal_digest},
};
use ed25519_dalek::Signer as _;
use node::{
    keys::{Keys, rotation},
    status::NodeStatus,
};
use tokio::time::timeout;

use crate::consortium::{Consortium, PATIENCE};

/// Whether the node votes in the epoch after the first.
fn votes_again(status: &NodeStatus) -> bool {
    status.epoch == 1 && matches!(status.standing, Some(Standing::Voter(_)))
}

/// Makes a member's next key, and has the members decide on it; the keys before and after.
async fn renew(consortium: &mut Consortium, place: usize) -> (PublicKey, PublicKey) {
    let services = consortium.node(place).services().clone();
    let chain = *services.genesis.chain();
    let of_consensus = ChainId::new(*chain.as_bytes());
    let home = consortium.home(place);
    let next = rotation::make(&home, of_consensus, Epoch::new(1)).unwrap();
    let (old, new) = (
        services.me.key,
        PublicKey::new(next.verifying_key().to_bytes()),
    );
    let (id, mut to) = (services.server_id(), services.me.clone());
    to.key = new;
    let digest = renewal_digest(&chain, &id, &to);
    let signed =
        |key: &ed25519_dalek::SigningKey| SignatureBytes::new(key.sign(&digest).to_bytes());
    let change = MembershipChange {
        renew: vec![Renewal {
            id,
            by_old: signed(services.keys.member()),
            by_new: signed(&next),
            to,
        }],
        ..MembershipChange::default()
    };
    let approve = Call::ApproveChange(change.id(&chain));
    let propose = Call::ProposeChange(Box::new(change));
    let others = (0..4).filter(|member| *member != place).take(2);
    for (member, call) in
        std::iter::once((place, propose)).chain(others.map(|member| (member, approve.clone())))
    {
        let outcome = consortium.ask(member, call).await;
        // The last approval decides nothing yet: the new key has to say that it is ready.
        assert_eq!(outcome, Outcome::Done(Output::Written));
    }
    (old, new)
}

/// Waits until a node asks to be started again with its new key.
async fn taken_over(consortium: &Consortium, place: usize) {
    let mut again = consortium.node(place).again();
    timeout(PATIENCE, again.wait_for(|again| *again))
        .await
        .unwrap()
        .unwrap();
}

/// Whether a member's vote is in the certificate of a block that needs it.
async fn is_needed_and_votes(consortium: &mut Consortium, place: usize) {
    let absent = (0..4).find(|member| *member != place).unwrap();
    consortium.stop_node(absent).await;
    let other = (0..4).rev().find(|member| *member != place).unwrap();
    let height = consortium.submit(other).await;
    consortium.certified(place, height).await;
    let services = consortium.node(place).services();
    let certificate = services.ledger.certificate(Height::new(height)).unwrap();
    let seat = services.term.borrow().place_of(&services.me.key).unwrap();
    let votes = certificate.unwrap().checkpoints;
    assert!(votes.iter().any(|vote| vote.0 == seat));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewed_key_votes_from_the_next_epoch_on_and_the_old_one_is_destroyed() {
    let mut consortium = Consortium::start(4).await;
    consortium.submit(0).await;
    let before = consortium.record(2, |_record| true).await;

    let (old, new) = renew(&mut consortium, 2).await;
    taken_over(&consortium, 2).await;
    let present = Keys::load(&consortium.home(2)).unwrap().member_public();
    assert_eq!(
        present, old,
        "the old key is there until the node has stopped in order"
    );
    consortium.stop_node(2).await;
    consortium.start_node(2);
    consortium.until(2, votes_again).await;

    let home = consortium.home(2);
    assert_eq!(Keys::load(&home).unwrap().member_public(), new);
    assert_eq!(consortium.node(2).services().me.key, new);
    assert!(!home.join("rotation").exists());
    assert!(home.join("votes.retired-1").exists());
    assert_eq!(before.node_key, old);
    let after = consortium.record(2, |record| record.node_key == new).await;
    assert_eq!(after.key_epoch, before.key_epoch + 1);
    is_needed_and_votes(&mut consortium, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_that_is_killed_as_its_new_key_takes_over_comes_back_and_votes_with_it() {
    let mut consortium = Consortium::start(4).await;
    let (_old, new) = renew(&mut consortium, 2).await;
    consortium.kill_node(2).await;
    consortium.revive_node(2).await;
    taken_over(&consortium, 2).await;
    consortium.kill_node(2).await;
    consortium.revive_node(2).await;
    taken_over(&consortium, 2).await;
    let told = consortium.node(2).services().status.borrow().clone();
    assert!(!votes_again(&told), "the old key has no vote any more");
    consortium.stop_node(2).await;
    consortium.start_node(2);

    consortium.until(2, votes_again).await;
    assert_eq!(consortium.node(2).services().me.key, new);
    is_needed_and_votes(&mut consortium, 2).await;
}
