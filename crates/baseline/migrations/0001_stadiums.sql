-- One row per team, as the API answers them; a shared stadium stands once for each of its teams.
CREATE TABLE stadiums (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name        text NOT NULL,
    capacity    integer NOT NULL CHECK (capacity > 0),
    location    text NOT NULL,
    surface     text NOT NULL,
    roof        text NOT NULL,
    team        text NOT NULL UNIQUE,
    year_opened integer NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now()
);
