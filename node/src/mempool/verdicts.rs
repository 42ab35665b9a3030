//! Which transactions' signatures were checked here, so that each is checked once.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use contract::{Invalid, TransactionHash};

use crate::limits;

/// The transactions whose signatures are good.
///
/// A lock and not a task: whoever checks is on a thread of its own and waits for nothing
/// but another check of the same transaction; the lock is held for a few map operations.
#[derive(Debug, Default)]
pub(super) struct Verdicts {
    known: Mutex<Known>,
    done: Condvar,
}

/// What is known.
#[derive(Debug, Default)]
struct Known {
    good: BTreeSet<TransactionHash>,
    /// The same in the order in which they came.
    order: VecDeque<TransactionHash>,
    /// Being checked by some thread now.
    busy: BTreeSet<TransactionHash>,
}

impl Verdicts {
    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a transaction was found good. Waits for a check of it that is under way.
    pub(super) fn is_good(&self, hash: &TransactionHash) -> bool {
        let known = self
            .done
            .wait_while(self.lock(), |known| known.busy.contains(hash))
            .unwrap_or_else(PoisonError::into_inner);
        known.good.contains(hash)
    }

    /// Runs `check` unless the transaction is known to be good. Another thread that asks
    /// for the same one meanwhile waits for this verdict.
    pub(super) fn judge(
        &self,
        hash: &TransactionHash,
        check: impl FnOnce() -> Result<(), Invalid>,
    ) -> Result<(), Invalid> {
        if self.is_good(hash) {
            return Ok(());
        }
        let claim = Claim::take(self, *hash);
        let verdict = check();
        if verdict.is_ok() {
            self.note(*hash);
        }
        drop(claim);
        verdict
    }

    /// Notes a transaction that was found good elsewhere on this node.
    pub(super) fn note(&self, hash: TransactionHash) {
        let mut known = self.lock();
        if !known.good.insert(hash) {
            return;
        }
        known.order.push_back(hash);
        if known.order.len() > limits::KNOWN_VERDICTS
            && let Some(oldest) = known.order.pop_front()
        {
            known.good.remove(&oldest);
        }
    }
}

/// The mark that a check is under way; it is taken off whatever becomes of the check.
struct Claim<'a>(&'a Verdicts, TransactionHash);

impl<'a> Claim<'a> {
    fn take(verdicts: &'a Verdicts, hash: TransactionHash) -> Self {
        verdicts.lock().busy.insert(hash);
        Self(verdicts, hash)
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        let Self(verdicts, hash) = self;
        verdicts.lock().busy.remove(hash);
        verdicts.done.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use super::*;

    fn hash(byte: u8) -> TransactionHash {
        TransactionHash::new([byte; 32])
    }

    #[test]
    fn a_good_verdict_is_kept_and_a_bad_one_is_not() {
        let verdicts = Verdicts::default();

        assert_eq!(
            verdicts.judge(&hash(1), || Err(Invalid::Signature)),
            Err(Invalid::Signature)
        );
        assert!(!verdicts.is_good(&hash(1)));

        assert_eq!(verdicts.judge(&hash(1), || Ok(())), Ok(()));
        assert!(verdicts.is_good(&hash(1)));
        assert_eq!(
            verdicts.judge(&hash(1), || Err(Invalid::Signature)),
            Ok(()),
            "it is not checked again"
        );
    }

    #[test]
    fn who_asks_during_a_check_waits_for_its_verdict() {
        let verdicts = Verdicts::default();
        let begun = Barrier::new(2);
        let checks = AtomicUsize::new(0);

        thread::scope(|scope| {
            let checker = scope.spawn(|| {
                verdicts.judge(&hash(1), || {
                    begun.wait();
                    checks.fetch_add(1, Ordering::SeqCst);
                    Ok(())
                })
            });
            begun.wait();
            assert!(verdicts.is_good(&hash(1)));
            assert_eq!(checks.load(Ordering::SeqCst), 1);
            assert_eq!(checker.join().unwrap(), Ok(()));
        });
    }

    #[test]
    fn the_oldest_verdict_goes_when_there_are_too_many() {
        let verdicts = Verdicts::default();
        let numbered = |number: usize| {
            let mut bytes = [0; 32];
            bytes[..8].copy_from_slice(&number.to_le_bytes());
            TransactionHash::new(bytes)
        };
        for number in 0..limits::KNOWN_VERDICTS {
            verdicts.note(numbered(number));
        }
        assert!(verdicts.is_good(&numbered(0)));

        verdicts.note(numbered(limits::KNOWN_VERDICTS));

        assert!(!verdicts.is_good(&numbered(0)));
        assert!(verdicts.is_good(&numbered(1)));
        assert!(verdicts.is_good(&numbered(limits::KNOWN_VERDICTS)));
    }
}
