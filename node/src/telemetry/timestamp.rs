//! Wall time as RFC 3339 in UTC with milliseconds.

use std::fmt;

use tracing_subscriber::fmt::{format::Writer, time::FormatTime};

use crate::clock::Clock;

/// Writes the wall clock's time in front of a line.
#[derive(Clone, Debug)]
pub(super) struct Utc {
    clock: Clock,
}

impl Utc {
    /// From the node's clock.
    pub(super) const fn new(clock: Clock) -> Self {
        Self { clock }
    }
}

impl FormatTime for Utc {
    fn format_time(&self, writer: &mut Writer<'_>) -> fmt::Result {
        writer.write_str(&rfc3339(self.clock.wall_ms()))
    }
}

/// Milliseconds since 1970 as `2026-11-22T04:31:05.042Z`.
///
/// The calendar is the proleptic Gregorian one, counted in eras of 400 years that begin on 1 March.
pub fn rfc3339(ms: u64) -> String {
    let (seconds, millis) = (ms / 1000, ms % 1000);
    let (days, second_of_day) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (
        second_of_day / 3600,
        second_of_day / 60 % 60,
        second_of_day % 60,
    );
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}

/// Days since 1970-01-01 as year, month and day.
fn civil(days: u64) -> (u64, u64, u64) {
    /// Days from 0000-03-01 to 1970-01-01.
    const EPOCH: u64 = 719_468;
    /// Days of 400 years.
    const ERA: u64 = 146_097;
    let shifted = days.saturating_add(EPOCH);
    let (era, day_of_era) = (shifted / ERA, shifted % ERA);
    let leap_days = (day_of_era / 1460)
        .saturating_add(day_of_era / 146_096)
        .saturating_sub(day_of_era / 36_524);
    let year_of_era = day_of_era.saturating_sub(leap_days) / 365;
    let before_year = year_of_era
        .saturating_mul(365)
        .saturating_add(year_of_era / 4)
        .saturating_sub(year_of_era / 100);
    let day_of_year = day_of_era.saturating_sub(before_year);
    let from_march = day_of_year.saturating_mul(5).saturating_add(2) / 153;
    let before_month = from_march.saturating_mul(153).saturating_add(2) / 5;
    let day = day_of_year.saturating_sub(before_month).saturating_add(1);
    let january = from_march >= 10;
    let month = if january {
        from_march.saturating_sub(9)
    } else {
        from_march.saturating_add(3)
    };
    let year = era
        .saturating_mul(400)
        .saturating_add(year_of_era)
        .saturating_add(january.into());
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::rfc3339;

    #[test]
    fn known_moments_come_out_right() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(rfc3339(951_782_400_000), "2000-02-29T00:00:00.000Z");
        assert_eq!(rfc3339(951_868_799_999), "2000-02-29T23:59:59.999Z");
        assert_eq!(rfc3339(951_868_800_000), "2000-03-01T00:00:00.000Z");
        assert_eq!(rfc3339(4_107_542_400_000), "2100-03-01T00:00:00.000Z");
        assert_eq!(rfc3339(1_798_761_599_123), "2026-12-31T23:59:59.123Z");
    }
}
