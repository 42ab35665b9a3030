//! Reading requests: query values and bodies, each with one clear text when it is wrong.

use axum::{
    BoxError,
    body::{Body, HttpBody as _},
    http::{HeaderMap, StatusCode, Uri, header},
};
use contract::identity::SuiteId;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use patient::code::Code;
use std::{collections::BTreeMap, str::FromStr, time::Duration};
use zeroize::{Zeroize as _, Zeroizing};

use super::{
    limits::{WAIT, WAIT_MAX},
    problem::Problem,
};

/// A body that is wiped when nobody needs it any more: it may hold an ID, a code or a token.
pub(crate) type Octets = Zeroizing<Vec<u8>>;

/// The body of a request, when it is of the right kind and not too long.
pub(crate) async fn octets(
    headers: &HeaderMap,
    body: Body,
    limit: usize,
) -> Result<Octets, Problem> {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    if kind != Some("application/octet-stream") {
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Code::BadMediaType,
            "this address takes application/octet-stream",
        ));
    }
    whole(body, limit).await
}

/// A body of any kind. Its frames are wiped where the connection holds them no more.
pub(crate) async fn whole(body: Body, limit: usize) -> Result<Octets, Problem> {
    let mut body = Limited::new(body, limit);
    // Never moved to a larger place, which would leave a copy behind.
    let room = body.size_hint().exact();
    let room = room.and_then(|bytes| usize::try_from(bytes).ok());
    let mut octets = Zeroizing::new(Vec::with_capacity(
        room.map_or(limit, |room| room.min(limit)),
    ));
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame.map_err(|error| unread(&error, limit))?.into_data() {
            octets.extend_from_slice(&data);
            if let Ok(mut only) = data.try_into_mut() {
                only.zeroize();
            }
        }
    }
    Ok(octets)
}

/// Why a body was not read.
fn unread(error: &BoxError, limit: usize) -> Problem {
    if error.is::<LengthLimitError>() {
        Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            Code::TooLarge,
            format!("at most {limit} bytes are taken here"),
        )
    } else {
        Problem::bad(Code::Usage, "the request ended before its body did")
    }
}

/// The suite that the client names; it is never guessed or negotiated.
pub(crate) fn suite(headers: &HeaderMap) -> Result<SuiteId, Problem> {
    let named = headers
        .get("aidchain-suite")
        .and_then(|value| value.to_str().ok());
    named
        .and_then(|text| SuiteId::from_str(text).ok())
        .ok_or_else(|| {
            Problem::bad(
                Code::Usage,
                "the header aidchain-suite must name a suite, such as 0x7f01",
            )
        })
}

/// The values of a query, each read once and by name; a name nobody asked for is an error.
#[derive(Debug)]
pub(crate) struct Query(BTreeMap<String, String>);

impl Query {
    /// The query of an address, which may name nothing but `known`.
    pub(crate) fn read(address: &Uri, known: &[&str]) -> Result<Self, Problem> {
        let axum::extract::Query(pairs) =
            axum::extract::Query::<Vec<(String, String)>>::try_from_uri(address).map_err(
                |_error| Problem::bad(Code::BadQuery, "the query of the address cannot be read"),
            )?;
        let mut values = BTreeMap::new();
        for (name, value) in pairs {
            if !known.contains(&name.as_str()) {
                let list = known.join(", ");
                return Err(Problem::bad(
                    Code::BadQuery,
                    format!("{name:?} is not a parameter here; there are: {list}"),
                ));
            }
            if values.insert(name.clone(), value).is_some() {
                return Err(Problem::bad(Code::BadQuery, format!("{name} occurs twice")));
            }
        }
        Ok(Self(values))
    }

    /// A value as it was given; an empty one is none, as forms send it.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(|value| value.trim())
            .filter(|value| !value.is_empty())
    }

    /// Whether a name occurs, with or without a value.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// A value of a type that names its own mistakes.
    pub(crate) fn parse<T: FromStr>(&self, name: &str, code: Code) -> Result<Option<T>, Problem>
    where
        T::Err: std::fmt::Display,
    {
        let read = |text: &str| {
            text.parse()
                .map_err(|error| Problem::bad(code, format!("{name}: {error}")))
        };
        self.text(name).map(read).transpose()
    }

    /// A number.
    pub(crate) fn number(&self, name: &str) -> Result<Option<u64>, Problem> {
        let wrong = |_error| Problem::bad(Code::BadQuery, format!("{name} must be a whole number"));
        self.text(name)
            .map(|text| text.parse().map_err(wrong))
            .transpose()
    }

    /// A page size within its bounds.
    pub(crate) fn limit(&self, default: usize, most: usize) -> Result<usize, Problem> {
        let Some(limit) = self.number("limit")? else {
            return Ok(default);
        };
        match usize::try_from(limit) {
            Ok(limit) if (1..=most).contains(&limit) => Ok(limit),
            _ => Err(Problem::bad(
                Code::BadQuery,
                format!("limit must be from 1 to {most}"),
            )),
        }
    }

    /// A day or a moment.
    pub(crate) fn moment(&self, name: &str) -> Result<Option<u64>, Problem> {
        let wrong = || Problem::bad(Code::NotATime, format!("{name}: {}", Code::NotATime.help()));
        self.text(name)
            .map(|text| crate::explorer::time::parse(text).ok_or_else(wrong))
            .transpose()
    }

    /// How long the client would like to wait.
    pub(crate) fn wait(&self) -> Result<Duration, Problem> {
        match self.number("wait_ms")? {
            None => Ok(WAIT),
            Some(ms) => Ok(Duration::from_millis(ms).min(WAIT_MAX)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn query(text: &str, known: &[&str]) -> Result<Query, Problem> {
        let address = Uri::builder()
            .path_and_query(format!("/v1/results?{text}"))
            .build();
        Query::read(&address.unwrap_or_default(), known)
    }

    #[test]
    fn an_unknown_or_doubled_parameter_is_named() {
        let unknown = query("sice=1", &["since", "limit"]).unwrap_err();
        assert!(
            unknown
                .detail()
                .contains("\"sice\" is not a parameter here; there are: since, limit")
        );

        let doubled = query("limit=1&limit=2", &["limit"]).unwrap_err();
        assert_eq!(doubled.detail(), "limit occurs twice");
    }

    proptest! {
        #[test]
        fn a_query_is_refused_or_read_as_values_of_the_names_it_may_have(
            text in "[a-z=&%+0-9.]{0,40}",
            known in "(since|limit)=[!-~]{0,24}",
        ) {
            for text in [text, known] {
                if let Ok(query) = query(&text, &["since", "limit"]) {
                    prop_assert!(query.0.keys().all(|name| name == "since" || name == "limit"));
                    let limit = query.limit(20, 200).unwrap_or(1);
                    prop_assert!((1..=200).contains(&limit));
                    let _moment = query.moment("since");
                }
            }
        }
    }

    #[test]
    fn a_page_size_is_taken_at_its_limit_and_not_beyond() {
        let size = |text| query(text, &["limit"]).unwrap().limit(20, 200);

        assert_eq!(size(""), Ok(20));
        assert_eq!(size("limit=200"), Ok(200));
        assert_eq!(size("limit=201").unwrap_err().code(), Code::BadQuery);
        assert_eq!(size("limit=0").unwrap_err().code(), Code::BadQuery);
    }

    #[test]
    fn times_are_days_or_moments_in_utc() {
        let since = |text| query(text, &["since"]).unwrap().moment("since");

        assert_eq!(since("since=2026-11-22"), Ok(Some(1_795_305_600_000)));
        assert_eq!(since("since="), Ok(None));
        assert_eq!(since("since=yesterday").unwrap_err().code(), Code::NotATime);
    }

    #[tokio::test]
    async fn a_body_is_taken_at_its_limit_and_not_one_byte_beyond() {
        let whole_of = |bytes: usize| whole(Body::from(vec![0; bytes]), 16);

        assert_eq!(whole_of(16).await.unwrap().len(), 16);
        assert_eq!(whole_of(17).await.unwrap_err().code(), Code::TooLarge);
    }

    #[test]
    fn a_suite_is_named_or_the_request_is_refused() {
        let mut headers = HeaderMap::new();
        assert_eq!(suite(&headers).unwrap_err().code(), Code::Usage);
        headers.insert("aidchain-suite", "0x7f01".parse().unwrap());
        assert_eq!(suite(&headers), Ok(SuiteId::WU_2021));
    }
}
