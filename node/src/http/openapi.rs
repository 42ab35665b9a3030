//! `GET /v1/openapi.json`: the description of all listeners, written by hand and held to the routes by a test.

use axum::{
    http::header,
    response::{IntoResponse as _, Response},
};

/// The description.
const DOCUMENT: &str = include_str!("../../openapi.json");

/// Hands it out.
pub(super) async fn document() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], DOCUMENT).into_response()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The routes as the routers name them.
    fn routes() -> BTreeSet<String> {
        let sources = [include_str!("../http.rs"), include_str!("operations.rs")];
        let calls = sources
            .iter()
            .flat_map(|source| source.split(".route(").skip(1));
        calls
            .map(|call| call.split('"').nth(1).unwrap().to_owned())
            .collect()
    }

    #[test]
    fn the_description_has_exactly_the_routes_of_the_listeners() {
        let document: serde_json::Value = serde_json::from_str(DOCUMENT).unwrap();
        let described: BTreeSet<String> = document["paths"]
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect();

        assert_eq!(document["openapi"], "3.1.0");
        assert_eq!(described, routes());
    }

    #[test]
    fn every_reference_of_the_description_leads_somewhere() {
        let document: serde_json::Value = serde_json::from_str(DOCUMENT).unwrap();
        let references: Vec<&str> = DOCUMENT
            .split("\"#")
            .skip(1)
            .map(|rest| rest.split('"').next().unwrap())
            .collect();

        assert!(references.len() > 50);
        for reference in references {
            assert!(document.pointer(reference).is_some(), "{reference}");
        }
    }
}
