//! The key in shares: any `threshold` of the evaluators together compute the function,
//! fewer learn nothing (Shamir 1979; the shares' public keys as in Feldman 1987).

#![expect(
    clippy::arithmetic_side_effects,
    reason = "group and scalar arithmetic cannot overflow"
)]

use core::fmt;

use contract::ServerId;
use curve25519_dalek::traits::Identity as _;
use curve25519_dalek::{RistrettoPoint, Scalar};
use rand_core::CryptoRng;
use thiserror::Error;
use zeroize::Zeroizing;

use super::{Blinding, Element, Evaluation, EvaluatorKey, OUTPUT_BYTES, draw_scalar};
use crate::error::Malformed;
use crate::fields::Fields;
use crate::secret::Secret;

/// The most evaluators: as many as a consortium may have members.
pub const EVALUATORS_MAX: usize = 31;

/// An evaluator as the card names it: a member, and its share's public key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Evaluator {
    /// The member.
    pub server_id: ServerId,
    /// The public key of its share.
    pub public: Element,
}

/// Who evaluates for one handle, and how many of them are needed. Consistent: any
/// `threshold` of them give the same value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Evaluators {
    threshold: u8,
    /// Member j of the text at place j − 1.
    members: Vec<Evaluator>,
}

/// Why a list of evaluators is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum BadEvaluators {
    /// Threshold and number do not fit.
    #[error(
        "{threshold} of {number} evaluators: there are 1 to 31, and 1 to all of them are needed"
    )]
    Threshold {
        /// How many are needed.
        threshold: usize,
        /// How many there are.
        number: usize,
    },
    /// A member or a key stands twice.
    #[error("evaluator {0} stands twice in the list")]
    Twice(u8),
    /// The public keys do not lie on one polynomial.
    #[error("the key of evaluator {0} does not belong to the others: ask for another deal")]
    Inconsistent(u8),
}

impl Evaluators {
    /// These evaluators in this order, if any `threshold` of them give the same value.
    pub fn new(threshold: u8, members: Vec<Evaluator>) -> Result<Self, BadEvaluators> {
        let evaluators = Self { threshold, members };
        evaluators.check_number()?;
        evaluators.check_twice()?;
        evaluators.check_consistency()?;
        Ok(evaluators)
    }

    /// How many answers are needed.
    pub const fn threshold(&self) -> u8 {
        self.threshold
    }

    /// The members, in order.
    pub fn members(&self) -> &[Evaluator] {
        &self.members
    }

    /// A member's number j, from 1.
    pub fn number_of(&self, server_id: &ServerId) -> Option<u8> {
        let at = self
            .members
            .iter()
            .position(|one| one.server_id == *server_id)?;
        u8::try_from(at.checked_add(1)?).ok()
    }

    /// t 1 ‖ n 1 ‖ n × (`server_id` 32 ‖ pk 32).
    pub(crate) fn write(&self, bytes: &mut Vec<u8>) {
        let number = u8::try_from(self.members.len()).unwrap_or(u8::MAX);
        bytes.extend([self.threshold, number]);
        for one in &self.members {
            bytes.extend(one.server_id.as_bytes());
            bytes.extend(one.public.as_bytes());
        }
    }

    /// What [`Evaluators::write`] wrote.
    pub(crate) fn read(fields: &mut Fields<'_>) -> Result<Self, Malformed> {
        let [threshold] = *fields.take("t")?;
        let [number] = *fields.take("n")?;
        if usize::from(number) > EVALUATORS_MAX {
            return Err(fields.wrong("n", "is above 31"));
        }
        let members = (0..number)
            .map(|_| {
                let server_id = ServerId::new(*fields.take("server_id")?);
                let public = Element::parse(fields.take("public key of a share")?);
                let public =
                    public.ok_or_else(|| fields.wrong("public key of a share", "is no element"))?;
                Ok(Evaluator { server_id, public })
            })
            .collect::<Result<_, Malformed>>()?;
        Self::new(threshold, members)
            .map_err(|_why| fields.wrong("list of evaluators", "is not consistent"))
    }

    fn check_number(&self) -> Result<(), BadEvaluators> {
        let (threshold, number) = (usize::from(self.threshold), self.members.len());
        if (1..=EVALUATORS_MAX).contains(&number) && (1..=number).contains(&threshold) {
            Ok(())
        } else {
            Err(BadEvaluators::Threshold { threshold, number })
        }
    }

    fn check_twice(&self) -> Result<(), BadEvaluators> {
        for (number, one) in self.numbered() {
            let same =
                |other: &&Evaluator| other.server_id == one.server_id || other.public == one.public;
            // With a threshold of one the polynomial is constant and so are the keys.
            let same_member = |other: &&Evaluator| other.server_id == one.server_id;
            let others = self.members.iter();
            let count = if self.threshold == 1 {
                others.filter(same_member).count()
            } else {
                others.filter(same).count()
            };
            if count != 1 {
                return Err(BadEvaluators::Twice(number));
            }
        }
        Ok(())
    }

    fn check_consistency(&self) -> Result<(), BadEvaluators> {
        let threshold = usize::from(self.threshold);
        let base: Vec<_> = self.numbered().take(threshold).collect();
        let numbers: Vec<u8> = base.iter().map(|(number, _)| *number).collect();
        for (number, one) in self.numbered().skip(threshold) {
            let expected = base
                .iter()
                .map(|(j, base)| base.public.point * lagrange(*j, &numbers, number))
                .fold(RistrettoPoint::identity(), |sum, term| sum + term);
            if expected != one.public.point {
                return Err(BadEvaluators::Inconsistent(number));
            }
        }
        Ok(())
    }

    fn numbered(&self) -> impl Iterator<Item = (u8, &Evaluator)> {
        (1_u8..).zip(&self.members)
    }
}

/// Draws a key, deals shares of it to these members and forgets it (the RC's part of an
/// enrolment). Draws 64 bytes for each coefficient. A share that comes out zero, once in
/// 2^252 deals, has no public key that anybody would take.
pub fn deal(
    threshold: u8,
    members: &[ServerId],
    rng: &mut impl CryptoRng,
) -> Result<(Evaluators, Vec<EvaluatorKey>), BadEvaluators> {
    let number = members.len();
    if number > EVALUATORS_MAX {
        let threshold = usize::from(threshold);
        return Err(BadEvaluators::Threshold { threshold, number });
    }
    let polynomial = Zeroizing::new(
        (0..threshold)
            .map(|_| draw_scalar(rng))
            .collect::<Vec<Scalar>>(),
    );
    let shares: Vec<EvaluatorKey> = (1_u8..)
        .zip(members)
        .map(|(number, _)| EvaluatorKey(evaluate_at(&polynomial, number)))
        .collect();
    let listed = members.iter().zip(&shares);
    let listed = listed.map(|(server_id, share)| Evaluator {
        server_id: *server_id,
        public: share.public(),
    });
    Ok((Evaluators::new(threshold, listed.collect())?, shares))
}

/// The answers of too few evaluators hold.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub struct NotEnough {
    /// How many answers hold.
    pub valid: usize,
    /// How many are needed.
    pub needed: u8,
    /// The members whose proofs do not hold.
    pub lying: Vec<ServerId>,
}

impl fmt::Display for NotEnough {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (valid, needed) = (self.valid, self.needed);
        write!(
            f,
            "{valid} evaluators answered, {needed} are needed: try again later"
        )?;
        if !self.lying.is_empty() {
            write!(f, "; {} sent a false answer", self.lying.len())?;
        }
        Ok(())
    }
}

/// The function's value, and whoever sent a false answer to the question.
#[derive(Debug)]
pub struct Combined {
    /// r.
    pub output: Secret<OUTPUT_BYTES>,
    /// The members whose proofs do not hold.
    pub lying: Vec<ServerId>,
}

impl Blinding {
    /// Checks each answer's proof against its member's key and combines `threshold` of
    /// those that hold. A member's second answer, and one of a stranger, counts as nothing.
    pub fn combine(
        &self,
        evaluators: &Evaluators,
        answers: &[(ServerId, Evaluation)],
    ) -> Result<Combined, NotEnough> {
        let mut valid: Vec<(u8, &Evaluation)> = Vec::new();
        let mut lying = Vec::new();
        for (number, member) in evaluators.numbered() {
            let of_member =
                |(server_id, _): &&(ServerId, Evaluation)| *server_id == member.server_id;
            let Some((_, answer)) = answers.iter().find(of_member) else {
                continue;
            };
            if answer.is_by(&member.public, self.element()) {
                valid.push((number, answer));
            } else {
                lying.push(member.server_id);
            }
        }
        let needed = evaluators.threshold;
        let Some(used) = valid.get(..usize::from(needed)) else {
            let valid = valid.len();
            return Err(NotEnough {
                valid,
                needed,
                lying,
            });
        };
        let numbers: Vec<u8> = used.iter().map(|(number, _)| *number).collect();
        let combined = used
            .iter()
            .map(|(number, answer)| answer.element.point * lagrange(*number, &numbers, 0))
            .fold(RistrettoPoint::identity(), |sum, term| sum + term);
        let output = self.finalize(&combined);
        Ok(Combined { output, lying })
    }
}

/// The polynomial's value at a number (Horner).
fn evaluate_at(polynomial: &[Scalar], number: u8) -> Scalar {
    let at = Scalar::from(number);
    let highest_first = polynomial.iter().rev();
    highest_first.fold(Scalar::ZERO, |sum, coefficient| sum * at + coefficient)
}

/// The weight of number `j` among `numbers`, all distinct, for the value at `at`.
fn lagrange(j: u8, numbers: &[u8], at: u8) -> Scalar {
    let others = numbers.iter().filter(|&&m| m != j);
    let (above, below) = others.fold((Scalar::ONE, Scalar::ONE), |(above, below), &m| {
        let m = Scalar::from(m);
        (
            above * (m - Scalar::from(at)),
            below * (m - Scalar::from(j)),
        )
    });
    above * below.invert()
}
