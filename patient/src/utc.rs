//! Times as people write them: `2026-11-22T00:01:42Z`. Always UTC.

use thiserror::Error;

const DAY_MS: u64 = 86_400_000;
/// The last millisecond of the year 9999: nothing later is written with four digits.
const LATEST_MS: u64 = 253_402_300_799_999;

/// The text of a time in milliseconds since the Unix epoch, to the second.
pub fn text(ms: u64) -> String {
    let ms = ms.min(LATEST_MS);
    let (year, month, day) = date(ms / DAY_MS);
    let second = ms % DAY_MS / 1000;
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z",
        second / 3600,
        second / 60 % 60,
        second % 60
    )
}

/// The same with a space and without the letters, as tables show it.
pub fn table_text(ms: u64) -> String {
    text(ms).replace('T', " ").replace('Z', "")
}

/// A text that is not a time.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0:?} is not a time: write 2026-11-01 or 2026-11-01T12:00:00Z")]
pub struct NotATime(pub String);

/// The milliseconds since the Unix epoch that a day or a time in UTC stands for.
pub fn parse(time: &str) -> Result<u64, NotATime> {
    fields(time)
        .and_then(from_fields)
        .ok_or_else(|| NotATime(time.to_owned()))
}

fn fields(time: &str) -> Option<[u64; 6]> {
    let (day, clock) = match time.split_once(['T', ' ']) {
        Some((day, clock)) => (day, clock.strip_suffix('Z').unwrap_or(clock)),
        None => (time, "00:00:00"),
    };
    let [year, month, date] = numbers(day, '-', [4, 2, 2])?;
    let [hour, minute, second] = numbers(clock, ':', [2, 2, 2])?;
    Some([year, month, date, hour, minute, second])
}

fn numbers(text: &str, separator: char, widths: [usize; 3]) -> Option<[u64; 3]> {
    let mut parts = text.split(separator);
    let mut values = [0; 3];
    for (value, width) in values.iter_mut().zip(widths) {
        let part = parts.next()?;
        if part.len() != width || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        *value = part.parse().ok()?;
    }
    parts.next().is_none().then_some(values)
}

fn from_fields([year, month, day, hour, minute, second]: [u64; 6]) -> Option<u64> {
    let plausible = year >= 1970
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    if !plausible {
        return None;
    }
    let days = days(year, month, day)?;
    if date(days) != (year, month, day) {
        return None;
    }
    let seconds = hour
        .checked_mul(60)?
        .checked_add(minute)?
        .checked_mul(60)?
        .checked_add(second)?;
    days.checked_mul(DAY_MS)?
        .checked_add(seconds.checked_mul(1000)?)
}

/// Days from 0000-03-01 to 1970-01-01: years that begin in March keep the leap day at their end.
const EPOCH_DAY: u64 = 719_468;
const DAYS_OF_400_YEARS: u64 = 146_097;

fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    let year = if month <= 2 {
        year.checked_sub(1)?
    } else {
        year
    };
    let era = year / 400;
    let year_of_era = year % 400;
    let month_from_march = month.checked_add(9)? % 12;
    let day_of_year = month_from_march
        .checked_mul(153)?
        .checked_add(2)?
        .checked_div(5)?
        .checked_add(day)?
        .checked_sub(1)?;
    era.checked_mul(DAYS_OF_400_YEARS)?
        .checked_add(year_of_era.checked_mul(365)?)?
        .checked_add(year_of_era / 4)?
        .checked_sub(year_of_era / 100)?
        .checked_add(day_of_year)?
        .checked_sub(EPOCH_DAY)
}

#[expect(
    clippy::arithmetic_side_effects,
    reason = "the callers bound the day below the year 10000, so nothing overflows, and each subtraction is of a floor"
)]
fn date(day_of_epoch: u64) -> (u64, u64, u64) {
    let day = day_of_epoch + EPOCH_DAY;
    let era = day / DAYS_OF_400_YEARS;
    let day_of_era = day % DAYS_OF_400_YEARS;
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let date = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    (year, month, date)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_moments_are_written_and_read_alike() {
        for (ms, shown) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400_000, "2000-02-29T00:00:00Z"),
            (1_795_305_702_000, "2026-11-22T00:01:42Z"),
            (4_107_542_399_000, "2100-02-28T23:59:59Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00Z"),
            (253_402_300_799_000, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(text(ms), shown);
            assert_eq!(parse(shown), Ok(ms));
        }
    }

    #[test]
    fn every_day_of_two_centuries_comes_back() {
        for day in 0..80_000 {
            let ms = day * DAY_MS;
            assert_eq!(parse(&text(ms)), Ok(ms));
        }
    }

    #[test]
    fn what_is_not_a_time_is_refused() {
        for wrong in [
            "",
            "today",
            "2026-13-01",
            "2026-02-30",
            "2026-2-3",
            "2026-11-01T25:00:00Z",
            "2026-11-01T12:00",
            "1969-12-31",
            "2026-11-01-01",
            "+026-11-01",
        ] {
            assert_eq!(parse(wrong), Err(NotATime(wrong.to_owned())));
        }
    }
}
