//! Sign-in under the suite of the paper: one message and its answer, and the server's own word for the ledger.

use axum::response::Response;
use contract::{Height, SuiteId};
use patient::code::Code;
use protocol::{
    Accepted, Answered, Directory, Message as _, Suite, Timestamp,
    wu::{Me5, PatientId, Wu2021},
};

use super::{octets, record, refusal, refuse};
use crate::{
    http::{app::App, input::Octets, problem::Problem, reads::Snapshot},
    metrics::Step,
};

/// Me5 in, Me7 out.
pub(super) async fn hello(app: &App, bytes: Octets) -> Result<Response, Problem> {
    // Rep and two multiplications: a few hundred microseconds that would hold up every other connection here.
    let node = app.clone();
    let answered = tokio::task::spawn_blocking(move || answer(&node, &bytes));
    let (reply, accepted) = answered.await.map_err(|_panicked| Problem::bug())??;
    record(app, SuiteId::WU_2021, &accepted).await?;
    Ok(octets(reply))
}

/// Reads Me5, asks the certified ledger, answers.
fn answer(app: &App, bytes: &[u8]) -> Result<(Vec<u8>, Accepted<()>), Problem> {
    let watch = app.services().clock.elapsed();
    let hello = Me5::parse(bytes).map_err(|malformed| {
        refuse(
            app,
            Code::RequestMalformed,
            "malformed",
            &malformed.to_string(),
        )
    })?;
    let now = Timestamp::from_millis(app.now_ms());
    let directory = Snapshot::of(app);
    let mut rng = patient::dice::seeded().map_err(|_error| Problem::bug())?;
    let answered = Wu2021::answer(&(), &directory, hello, now, &mut rng);
    let spent = app.services().clock.elapsed().saturating_sub(watch);
    app.services()
        .metrics
        .auth_duration
        .get_or_create(&Step { step: "answer" })
        .observe(spent.as_secs_f64());
    match answered {
        Ok(opened) => match opened.state {
            Answered::Accepted(accepted) => Ok((opened.message.encode(), accepted)),
            Answered::AwaitConfirm(never) => match never {},
        },
        Err(failed) => Err(refusal(app, failed.reason())),
    }
}

/// Certified reads as the suite asks for them.
impl Directory<PatientId> for Snapshot {
    fn resolve(&self, aid: &contract::Aid) -> Option<PatientId> {
        let record = self.wu_record(aid)?;
        PatientId::parse(record.id.as_bytes()).ok()
    }

    fn height(&self) -> Height {
        self.at()
    }
}
