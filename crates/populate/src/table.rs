//! The table's schema and rows.
//!
//! Apart from the function around it because it needs nothing but a connection. The migrations are the baseline's own, which
//! checks them too. Invariant: after [`fill`] the table holds exactly the given stadiums, in their order and numbered from 1, as
//! if nothing had ever been in it; where it did so before, not a byte of it is written.

use serde::Serialize;
use sqlx::migrate::Migrator;
use sqlx::{Connection, PgConnection};
use stadium_core::Stadium;

static MIGRATOR: Migrator = sqlx::migrate!("../baseline/migrations");

/// What [`fill`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Report {
    /// Whether the table was emptied and filled; not where it held the stadiums already.
    pub(crate) filled: bool,
    /// Rows the table has now.
    pub(crate) rows: usize,
}

/// A row but for its times: number, name, capacity, location, surface, roof, team, year opened.
type Row = (i64, String, i32, String, String, String, String, i32);

/// Brings the schema up to date and makes the rows equal `stadiums`, in one transaction.
///
/// Not by changing single rows, which would leave dead ones behind, and the living ones in another order.
///
/// # Errors
/// A migration's or a statement's error; the rows are then as they were.
pub(crate) async fn fill(
    connection: &mut PgConnection,
    stadiums: &[Stadium],
) -> Result<Report, lambda_runtime::Error> {
    MIGRATOR.run(&mut *connection).await?;
    let mut transaction = connection.begin().await?;
    // Readers read on, and nobody writes between the look and the filling.
    sqlx::query("LOCK TABLE stadiums IN SHARE ROW EXCLUSIVE MODE").execute(&mut *transaction).await?;
    let filled = !holds(&mut transaction, stadiums).await?;
    if filled {
        sqlx::query("TRUNCATE stadiums RESTART IDENTITY").execute(&mut *transaction).await?;
        for stadium in stadiums {
            insert(&mut transaction, stadium).await?;
        }
    }
    transaction.commit().await?;
    Ok(Report { filled, rows: stadiums.len() })
}

/// Whether the table's rows are `stadiums`, numbered from 1.
async fn holds(connection: &mut PgConnection, stadiums: &[Stadium]) -> sqlx::Result<bool> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT id, name, capacity, location, surface, roof, team, year_opened FROM stadiums ORDER BY id",
    )
    .fetch_all(connection)
    .await?;
    let wanted = (1..).zip(stadiums.iter().cloned()).map(|(id, stadium)| {
        let Stadium { name, capacity, location, surface, roof, team, year_opened } = stadium;
        (id, name, capacity, location, surface, roof, team, year_opened)
    });
    Ok(rows.into_iter().eq(wanted))
}

async fn insert(connection: &mut PgConnection, stadium: &Stadium) -> sqlx::Result<()> {
    let statement = sqlx::query(
        "INSERT INTO stadiums (name, capacity, location, surface, roof, team, year_opened)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    );
    let inserted = statement
        .bind(&stadium.name)
        .bind(stadium.capacity)
        .bind(&stadium.location)
        .bind(&stadium.surface)
        .bind(&stadium.roof)
        .bind(&stadium.team)
        .bind(stadium.year_opened)
        .execute(connection);
    inserted.await.map(drop)
}
