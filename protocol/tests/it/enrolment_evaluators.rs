//! Evaluators, t of n: what they compute together, and what a lie, a missing one or a
//! bent deal comes to.

use argon2::{Algorithm, Argon2, AssociatedData, ParamsBuilder, Version};
use contract::{ChainId, ServerId};
use protocol::aidc1::deal::{self, BadDeal, Dealt};
use protocol::aidc1::evaluator::HandleTaken;
use protocol::aidc1::oprf::shares::{self, BadEvaluators, EVALUATORS_MAX, Evaluator, Evaluators};
use protocol::aidc1::oprf::{Blinding, Element, EvaluatorKey};
use protocol::aidc1::{Enrolled, EpochSecret, Exponent, Handle};
use protocol::{Auxiliary, Secret};
use zeroize::{ZeroizeOnDrop, Zeroizing};

use crate::enrolment_world::{CHAIN, Consortium, Patient, question};
use crate::seeded::dice;

const HANDLE: Handle = Handle::new([1; 16]);

fn ids(number: u8) -> Vec<ServerId> {
    (1..=number).map(|one| ServerId::new([one; 32])).collect()
}

/// r as these members compute it for this password.
fn output(
    evaluators: &Evaluators,
    shares: &[EvaluatorKey],
    (members, password): (&[usize], &str),
) -> Secret<64> {
    let mut rng = dice(77);
    let asked = Blinding::new(Zeroizing::new(password.as_bytes().to_vec()), &mut rng).unwrap();
    let answers: Vec<_> = members
        .iter()
        .map(|&at| {
            let answer = shares[at].evaluate(asked.element(), &mut rng);
            (evaluators.members()[at].server_id, answer)
        })
        .collect();
    asked.combine(evaluators, &answers).unwrap().output
}

#[test]
fn every_two_of_four_and_every_three_of_five_agree() {
    let mut rng = dice(1);
    for (threshold, number) in [(1, 1), (2, 4), (3, 5)] {
        let (evaluators, shares) = shares::deal(threshold, &ids(number), &mut rng).unwrap();
        let first: Vec<usize> = (0..usize::from(threshold)).collect();
        let expected = output(&evaluators, &shares, (&first, "pw"));
        for mask in 0_u32..1 << number {
            let members: Vec<usize> = (0..usize::from(number))
                .filter(|at| mask >> at & 1 == 1)
                .collect();
            if members.len() >= usize::from(threshold) {
                assert_eq!(output(&evaluators, &shares, (&members, "pw")), expected);
                assert_ne!(output(&evaluators, &shares, (&members, "other")), expected);
            }
        }
    }
}

#[test]
fn thirty_one_evaluators_are_the_most_and_a_threshold_lies_between() {
    let mut rng = dice(2);
    let members = ids(32);

    shares::deal(11, &members[..31], &mut rng).unwrap();
    for (threshold, number) in [(11, 32), (0, 4), (5, 4), (1, 0)] {
        let refused = shares::deal(threshold, &members[..number], &mut rng).unwrap_err();
        let threshold = usize::from(threshold);
        assert_eq!(refused, BadEvaluators::Threshold { threshold, number });
    }
    assert_eq!(EVALUATORS_MAX, 31);
}

#[test]
fn one_answer_too_few_is_told_and_gives_nothing() {
    let mut rng = dice(3);
    let mut consortium = Consortium::of(4);
    let patient = Patient::new(&mut rng);
    let evaluators = consortium.deal(3, &patient.enrolment(HANDLE), &mut rng);
    let asked = question("pw", HANDLE, &mut rng);
    let answers = consortium.ask_all(&[0, 1], &asked, &patient.device, &mut rng);

    let refused = asked.combine(&evaluators, &answers).unwrap_err();

    assert_eq!((refused.valid, refused.needed), (2, 3));
    assert_eq!(
        refused.to_string(),
        "2 evaluators answered, 3 are needed: try again later"
    );
    let twice = [answers[0], answers[1], answers[1]];
    asked.combine(&evaluators, &twice).unwrap_err();
}

#[test]
fn t_minus_one_shares_fit_every_key() {
    // Whatever the missing share is, there is a list that everybody takes: two of three
    // shares say nothing about the third.
    let mut rng = dice(4);
    let (evaluators, shares) = shares::deal(3, &ids(3), &mut rng).unwrap();
    let known = &evaluators.members()[..2];

    let mut outputs = std::collections::BTreeSet::new();
    for _ in 0..16 {
        let guessed = EvaluatorKey::draw(&mut rng);
        let third = Evaluator {
            server_id: evaluators.members()[2].server_id,
            public: guessed.public(),
        };
        let list = Evaluators::new(3, vec![known[0], known[1], third]).unwrap();
        let shares = [shares[0].clone(), shares[1].clone(), guessed];
        outputs.insert(*output(&list, &shares, (&[0, 1, 2], "pw")).expose());
    }

    assert_eq!(outputs.len(), 16);
    assert!(!outputs.contains(output(&evaluators, &shares, (&[0, 1, 2], "pw")).expose()));
}

#[test]
fn a_lying_evaluator_is_named_and_the_others_suffice() {
    let mut rng = dice(5);
    let mut consortium = Consortium::of(4);
    let patient = Patient::new(&mut rng);
    let evaluators = consortium.deal(2, &patient.enrolment(HANDLE), &mut rng);
    let asked = question("pw", HANDLE, &mut rng);
    let honest = consortium.ask_all(&[0, 1, 2, 3], &asked, &patient.device, &mut rng);
    let expected = asked.combine(&evaluators, &honest).unwrap().output;
    let another = EvaluatorKey::draw(&mut rng);
    let other_question = question("pw", HANDLE, &mut rng);
    consortium.pass(1);
    let (_, of_another_question) = consortium
        .ask(0, &other_question, &patient.device, &mut rng)
        .unwrap();
    let mut wrong_proof = honest[0].1;
    wrong_proof.proof = honest[1].1.proof;
    let element: Element = honest[1].1.element;
    let lies = [
        another.evaluate(&element, &mut rng),
        of_another_question,
        wrong_proof,
        honest[1].1,
    ];

    for lie in lies {
        let mut answers = honest.clone();
        answers[0].1 = lie;

        let combined = asked.combine(&evaluators, &answers).unwrap();

        assert_eq!(combined.lying, [answers[0].0]);
        assert_eq!(combined.output, expected);
        let refused = asked.combine(&evaluators, &answers[..2]).unwrap_err();
        assert_eq!((refused.valid, refused.lying), (1, vec![answers[0].0]));
    }
}

#[test]
fn a_list_that_would_give_two_passwords_is_refused() {
    let mut rng = dice(6);
    let (evaluators, _) = shares::deal(2, &ids(4), &mut rng).unwrap();
    let mut bent = evaluators.members().to_vec();
    bent[3].public = EvaluatorKey::draw(&mut rng).public();
    let mut twice = evaluators.members().to_vec();
    twice[3].server_id = twice[0].server_id;
    let mut same_key = evaluators.members().to_vec();
    same_key[1].public = same_key[0].public;

    assert_eq!(
        Evaluators::new(2, bent),
        Err(BadEvaluators::Inconsistent(4))
    );
    assert_eq!(Evaluators::new(2, twice), Err(BadEvaluators::Twice(1)));
    assert_eq!(Evaluators::new(2, same_key), Err(BadEvaluators::Twice(1)));
}

/// A deal to member 2 of 4, its bytes, and who is who.
fn dealt() -> (Consortium, Dealt, Vec<u8>) {
    let mut rng = dice(7);
    let consortium = Consortium::of(4);
    let patient = Patient::new(&mut rng);
    let (evaluators, shares) = shares::deal(2, &consortium.ids(), &mut rng).unwrap();
    let enrolment = patient.enrolment(HANDLE);
    let dealt = Dealt {
        enrolment: enrolment.in_place_of(Handle::new([9; 16]), &patient.root, &CHAIN),
        evaluators,
        share: shares[1].clone(),
    };
    let member = &consortium.members[1];
    let key = member.epoch.public();
    let bytes = deal::seal(&dealt, member.id, &key, (&CHAIN, &consortium.rc), &mut rng).unwrap();
    (consortium, dealt, bytes)
}

#[test]
fn a_deal_opens_for_its_member_its_epoch_and_its_ledger_alone() {
    let (consortium, dealt, bytes) = dealt();
    let (rc, members) = (consortium.rc_public(), &consortium.members);
    let open = |at: usize, key: &EpochSecret, chain, rc| {
        deal::open(&bytes, members[at].id, key, chain, rc).map(|_| ())
    };

    let opened = deal::open(&bytes, members[1].id, &members[1].epoch, &CHAIN, &rc).unwrap();
    assert_eq!(opened.enrolment, dealt.enrolment);
    assert_eq!(opened.evaluators, dealt.evaluators);
    assert_eq!(opened.share.public(), dealt.share.public());

    let (mine, other) = (&members[1].epoch, &members[2].epoch);
    let other_chain = ChainId::new([1; 32]);
    assert_eq!(open(2, other, &CHAIN, &rc), Err(BadDeal::OtherMember));
    assert_eq!(open(1, other, &CHAIN, &rc), Err(BadDeal::Share));
    assert_eq!(open(1, mine, &other_chain, &rc), Err(BadDeal::NotByRc));
    assert_eq!(
        open(1, mine, &CHAIN, &members[1].epoch.public()),
        Err(BadDeal::NotByRc)
    );
}

#[test]
fn every_bit_flip_and_every_cut_of_a_deal_is_refused() {
    let (consortium, _, bytes) = dealt();
    let (rc, member) = (consortium.rc_public(), &consortium.members[1]);
    let open = |bytes: &[u8]| deal::open(bytes, member.id, &member.epoch, &CHAIN, &rc);

    for bit in 0..bytes.len() * 8 {
        let mut bent = bytes.clone();
        bent[bit / 8] ^= 1 << (bit % 8);
        assert!(matches!(open(&bent), Err(BadDeal::NotByRc)), "bit {bit}");
    }
    for length in 0..bytes.len() {
        open(&bytes[..length]).unwrap_err();
    }
    open(&[bytes.as_slice(), &[0]].concat()).unwrap_err();
}

#[test]
fn a_share_that_is_not_the_promised_one_is_refused_although_the_rc_signed() {
    let mut rng = dice(8);
    let (consortium, mut dealt, _) = dealt();
    dealt.share = EvaluatorKey::draw(&mut rng);
    let member = &consortium.members[1];
    let key = member.epoch.public();
    let bytes = deal::seal(&dealt, member.id, &key, (&CHAIN, &consortium.rc), &mut rng).unwrap();

    let rc = consortium.rc_public();
    let refused = deal::open(&bytes, member.id, &member.epoch, &CHAIN, &rc);

    assert_eq!(refused.map(|_| ()), Err(BadDeal::Share));
}

#[test]
fn a_handle_is_taken_once() {
    let (consortium, dealt, bytes) = dealt();
    let member = &consortium.members[1];
    let rc = consortium.rc_public();
    let open = || deal::open(&bytes, member.id, &member.epoch, &CHAIN, &rc).unwrap();
    let first = Enrolled::take(open(), |_| None, &CHAIN).unwrap();

    let again = Enrolled::take(
        open(),
        |handle| (*handle == HANDLE).then_some(&first),
        &CHAIN,
    );

    assert_eq!(again.map(|_| ()), Err(HandleTaken(HANDLE)));
    assert_eq!(first.enrolment().handle, dealt.enrolment.handle);
    assert_eq!(
        first.enrolment().change,
        None,
        "the old enrolment is not here"
    );
}

#[test]
fn the_argon2id_vector_of_rfc_9106_comes_out() {
    // Section 5.3.
    let params = ParamsBuilder::new()
        .m_cost(32)
        .t_cost(3)
        .p_cost(4)
        .data(AssociatedData::new(&[4; 12]).unwrap())
        .build()
        .unwrap();
    let secret = [3; 8];
    let argon2 =
        Argon2::new_with_secret(&secret, Algorithm::Argon2id, Version::V0x13, params).unwrap();
    let mut tag = [0; 32];
    argon2
        .hash_password_into(&[1; 32], &[2; 16], &mut tag)
        .unwrap();

    assert_eq!(
        hex::encode(tag),
        "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659"
    );
}

#[test]
fn secrets_of_an_enrolment_are_wiped_when_dropped() {
    const fn wiped<T: ZeroizeOnDrop>() {}

    wiped::<Secret<32>>();
    wiped::<EvaluatorKey>();
    wiped::<Blinding>();
    wiped::<Auxiliary>();
    wiped::<Exponent>();
    wiped::<protocol::wu::PatientId>();
}
