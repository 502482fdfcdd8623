//! The table's schema and rows.
//!
//! Apart from the function around it because it needs nothing but a connection. The migrations are the baseline's own, which
//! checks them too. Invariant: after [`fill`] the table holds exactly the given stadiums.

use serde::Serialize;
use sqlx::migrate::Migrator;
use sqlx::{Connection, PgConnection};
use stadium_core::Stadium;

static MIGRATOR: Migrator = sqlx::migrate!("../baseline/migrations");

/// What [`fill`] did, in rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Report {
    /// Teams that were not there.
    pub(crate) inserted: u64,
    /// Teams whose row differed.
    pub(crate) updated: u64,
    /// Teams that were there and are not among the stadiums.
    pub(crate) removed: u64,
    /// Rows the table has now.
    pub(crate) rows: i64,
}

/// Brings the schema up to date and makes the rows equal `stadiums`, in one transaction.
///
/// # Errors
/// A migration's or a statement's error; the rows are then as they were.
pub(crate) async fn fill(
    connection: &mut PgConnection,
    stadiums: &[Stadium],
) -> Result<Report, lambda_runtime::Error> {
    MIGRATOR.run(&mut *connection).await?;
    let mut transaction = connection.begin().await?;
    let mut report = Report { inserted: 0, updated: 0, removed: 0, rows: 0 };
    for stadium in stadiums {
        match upsert(&mut transaction, stadium).await? {
            Some(true) => report.inserted += 1,
            Some(false) => report.updated += 1,
            None => {}
        }
    }
    let teams: Vec<&str> = stadiums.iter().map(|stadium| stadium.team.as_str()).collect();
    let removed = sqlx::query("DELETE FROM stadiums WHERE team <> ALL($1)").bind(teams);
    report.removed = removed.execute(&mut *transaction).await?.rows_affected();
    report.rows = sqlx::query_scalar("SELECT count(*) FROM stadiums").fetch_one(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(report)
}

/// Inserts the stadium or updates its row; `Some(true)` if it was inserted, `None` if its row was equal already.
async fn upsert(connection: &mut PgConnection, stadium: &Stadium) -> sqlx::Result<Option<bool>> {
    let statement = sqlx::query_scalar(
        "INSERT INTO stadiums AS old (name, capacity, location, surface, roof, team, year_opened)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (team) DO UPDATE SET
             name = EXCLUDED.name, capacity = EXCLUDED.capacity, location = EXCLUDED.location,
             surface = EXCLUDED.surface, roof = EXCLUDED.roof, year_opened = EXCLUDED.year_opened,
             updated_at = now()
         WHERE (old.name, old.capacity, old.location, old.surface, old.roof, old.year_opened)
             IS DISTINCT FROM (EXCLUDED.name, EXCLUDED.capacity, EXCLUDED.location, EXCLUDED.surface,
                               EXCLUDED.roof, EXCLUDED.year_opened)
         RETURNING xmax = 0",
    );
    statement
        .bind(&stadium.name)
        .bind(stadium.capacity)
        .bind(&stadium.location)
        .bind(&stadium.surface)
        .bind(&stadium.roof)
        .bind(&stadium.team)
        .bind(stadium.year_opened)
        .fetch_optional(connection)
        .await
}
