/* The statements that are prepared once a session, on first use: X(NAME, sql).
 *
 * Rows come as arrays, one a column. Key columns are compared by bytes (COLLATE "C"). A statement that changes rows by
 * their key finds them by the index whatever the planner knows of the table: see the settings in postgres.c. */
#ifndef TRIGATE_STORAGE_POSTGRES_STATEMENTS_H
#define TRIGATE_STORAGE_POSTGRES_STATEMENTS_H

#define CYCLE_COLUMNS \
	"id, strategy, exchange, state, route, currency, step, planned_in, planned_out, amount_in, amount_out, profit," \
	" deltas, reason, opened_ns, closed_ns"
#define ORDER_COLUMNS \
	"client_id, cycle_id, exchange_id, market, side, state, purpose, reason, leg, attempt, time_in_force, price, qty," \
	" filled_qty, filled_quote, created_ns, updated_ns"
#define FILL_COLUMNS "client_id, fill_id, price, qty, fee, fee_currency, time_ns"
#define EVENT_COLUMNS "journal, position, time_ns, kind, cycle_id, client_id, text"

#define ORDERS_SELECT \
	"SELECT o.client_id, coalesce(o.cycle_id, ''), o.exchange_id, o.market, o.side, o.state, o.purpose, o.reason," \
	" o.leg, o.attempt, o.time_in_force, o.price, o.qty, o.filled_qty, o.filled_quote, o.created_ns, o.updated_ns"
#define FILLS_SELECT "SELECT f.client_id, f.fill_id, f.price, f.qty, f.fee, f.fee_currency, f.time_ns"

/* Of loads $1 and $2 are the key to start behind, $3 the cycle, $4 the most rows, $5 whether open cycles only. */
#define OPEN_ONLY(cycle) "($5::bigint = 0 OR EXISTS (SELECT FROM cycles c WHERE c.id = " cycle " AND c.closed_ns = 0))"
#define FILLS_AFTER "(f.client_id, f.fill_id) > ($1::text, $2::text) ORDER BY f.client_id, f.fill_id LIMIT $4::bigint"

/* Arrays as rows. In the list of a SELECT they are walked as they are; in its FROM they would be copied first. */
#define CYCLE_ARRAYS \
	"unnest($1::text[]), unnest($2::text[]), unnest($3::text[]), unnest($4::text[])," \
	" unnest($5::text[]), unnest($6::text[]), unnest($7::bigint[]), unnest($8::numeric[])," \
	" unnest($9::numeric[]), unnest($10::numeric[]), unnest($11::numeric[])," \
	" unnest($12::numeric[]), unnest($13::text[]), unnest($14::text[])," \
	" unnest($15::bigint[]), unnest($16::bigint[])"
#define ORDER_ARRAYS \
	"unnest($1::text[]), unnest($2::text[]), unnest($3::text[]), unnest($4::text[])," \
	" unnest($5::bigint[]), unnest($6::text[]), unnest($7::text[]), unnest($8::text[])," \
	" unnest($9::bigint[]), unnest($10::bigint[]), unnest($11::bigint[])," \
	" unnest($12::numeric[]), unnest($13::numeric[]), unnest($14::numeric[])," \
	" unnest($15::numeric[]), unnest($16::bigint[]), unnest($17::bigint[])"

#define STATEMENT_TABLE(X) \
	X(PING, "SELECT 1") \
	X(BEGIN, "BEGIN") \
	X(POSITION_GET, "SELECT position FROM journals WHERE journal = $1::text") \
	X(POSITION_RAISE, /* no row is changed by a batch that is in the store, or for one that stands elsewhere than \
			     at $3; negative: anywhere */ \
	  "INSERT INTO journals AS j (journal, position) SELECT $1::text, $2::bigint WHERE $2::bigint > 0" \
	  " AND ($3::bigint <= 0 OR EXISTS (SELECT FROM journals WHERE journal = $1::text))" \
	  " ON CONFLICT (journal) DO UPDATE SET position = excluded.position" \
	  " WHERE j.position < excluded.position AND ($3::bigint < 0 OR j.position = $3::bigint)") \
	X(CYCLES_ADD, "INSERT INTO cycles (" CYCLE_COLUMNS ") SELECT " CYCLE_ARRAYS) \
	X(ORDERS_ADD, "INSERT INTO orders (" ORDER_COLUMNS ") SELECT " ORDER_ARRAYS) \
	X(CYCLES_PUT, "INSERT INTO cycles (" CYCLE_COLUMNS ") SELECT " CYCLE_ARRAYS " ON CONFLICT (id) DO UPDATE SET" \
		      " strategy = excluded.strategy, exchange = excluded.exchange, state = excluded.state," \
		      " route = excluded.route, currency = excluded.currency, step = excluded.step," \
		      " planned_in = excluded.planned_in, planned_out = excluded.planned_out," \
		      " amount_in = excluded.amount_in, amount_out = excluded.amount_out," \
		      " profit = excluded.profit, deltas = excluded.deltas, reason = excluded.reason," \
		      " opened_ns = excluded.opened_ns, closed_ns = excluded.closed_ns") \
	X(ORDERS_PUT, \
	  "INSERT INTO orders (" ORDER_COLUMNS ") SELECT " ORDER_ARRAYS " ON CONFLICT (client_id) DO UPDATE SET" \
	  " cycle_id = excluded.cycle_id, exchange_id = excluded.exchange_id," \
	  " market = excluded.market, side = excluded.side, state = excluded.state," \
	  " purpose = excluded.purpose, reason = excluded.reason, leg = excluded.leg," \
	  " attempt = excluded.attempt, time_in_force = excluded.time_in_force," \
	  " price = excluded.price, qty = excluded.qty, filled_qty = excluded.filled_qty," \
	  " filled_quote = excluded.filled_quote, created_ns = excluded.created_ns," \
	  " updated_ns = excluded.updated_ns") \
	X(FILLS_PUT, \
	  "INSERT INTO fills (" FILL_COLUMNS ") SELECT unnest($1::text[]), unnest($2::text[]), unnest($3::numeric[])," \
	  " unnest($4::numeric[]), unnest($5::numeric[]), unnest($6::text[]), unnest($7::bigint[])" \
	  " ON CONFLICT (client_id, fill_id) DO UPDATE SET price = excluded.price, qty = excluded.qty," \
	  " fee = excluded.fee, fee_currency = excluded.fee_currency, time_ns = excluded.time_ns") \
	X(EVENTS_PUT, \
	  "INSERT INTO events (" EVENT_COLUMNS \
	  ") SELECT unnest($1::text[]), unnest($2::bigint[]), unnest($3::bigint[])," \
	  " unnest($4::text[]), unnest($5::text[]), unnest($6::text[]), unnest($7::text[])" \
	  " ON CONFLICT (journal, position) DO UPDATE SET time_ns = excluded.time_ns, kind = excluded.kind," \
	  " cycle_id = excluded.cycle_id, client_id = excluded.client_id, text = excluded.text") \
	X(CYCLES_MOVE, \
	  "UPDATE cycles c SET step = u.step, state = u.state, deltas = u.deltas, reason = u.reason," \
	  " amount_in = u.amount_in, amount_out = u.amount_out, profit = u.profit, closed_ns = u.closed_ns" \
	  " FROM (SELECT unnest($1::text[]) AS id, unnest($2::bigint[]) AS step, unnest($3::text[]) AS state," \
	  " unnest($4::text[]) AS deltas, unnest($5::text[]) AS reason, unnest($6::numeric[]) AS amount_in," \
	  " unnest($7::numeric[]) AS amount_out, unnest($8::numeric[]) AS profit, unnest($9::bigint[]) AS closed_ns)" \
	  " AS u WHERE c.id = u.id") \
	X(ORDERS_MOVE, \
	  "UPDATE orders o SET exchange_id = u.exchange_id, state = u.state, reason = u.reason," \
	  " filled_qty = u.filled_qty, filled_quote = u.filled_quote, updated_ns = u.updated_ns" \
	  " FROM (SELECT unnest($1::text[]) AS client_id, unnest($2::text[]) AS exchange_id," \
	  " unnest($3::text[]) AS state, unnest($4::text[]) AS reason, unnest($5::numeric[]) AS filled_qty," \
	  " unnest($6::numeric[]) AS filled_quote, unnest($7::bigint[]) AS updated_ns) AS u" \
	  " WHERE o.client_id = u.client_id") \
	X(CYCLES_HOLD, /* what refers to them: they must be there, and stay until the commit */ \
	  "SELECT count(*) FROM (SELECT FROM cycles WHERE id = ANY ($1::text[]) FOR KEY SHARE) AS held") \
	X(ORDERS_HOLD, \
	  "SELECT count(*) FROM (SELECT FROM orders WHERE client_id = ANY ($1::text[]) FOR KEY SHARE) AS held") \
	X(CYCLE_MISSING, \
	  "SELECT k FROM unnest($1::text[]) k WHERE NOT EXISTS (SELECT FROM cycles WHERE id = k) LIMIT 1") \
	X(ORDER_MISSING, \
	  "SELECT k FROM unnest($1::text[]) k WHERE NOT EXISTS (SELECT FROM orders WHERE client_id = k) LIMIT 1") \
	X(CYCLES_GET, \
	  "SELECT " CYCLE_COLUMNS " FROM cycles WHERE id > $1::text AND coalesce($2::text, $3::text) IS NOT NULL" \
	  " AND $5::bigint = 0 ORDER BY id LIMIT $4::bigint") \
	X(CYCLES_GET_OPEN, \
	  "SELECT " CYCLE_COLUMNS " FROM cycles WHERE closed_ns = 0 AND id > $1::text" \
	  " AND coalesce($2::text, $3::text) IS NOT NULL AND $5::bigint = 1 ORDER BY id LIMIT $4::bigint") \
	X(CYCLES_GET_ONE, \
	  "SELECT " CYCLE_COLUMNS " FROM cycles WHERE id = $3::text AND id > $1::text AND $2::text IS NOT NULL" \
	  " AND ($5::bigint = 0 OR closed_ns = 0) LIMIT $4::bigint") \
	X(ORDERS_GET, \
	  ORDERS_SELECT " FROM orders o WHERE o.client_id > $1::text AND coalesce($2::text, $3::text) IS NOT NULL" \
			" AND $5::bigint = 0 ORDER BY o.client_id LIMIT $4::bigint") \
	X(ORDERS_GET_OPEN, ORDERS_SELECT " FROM cycles c JOIN orders o ON o.cycle_id = c.id WHERE c.closed_ns = 0" \
					 " AND o.client_id > $1::text AND coalesce($2::text, $3::text) IS NOT NULL" \
					 " AND $5::bigint = 1 ORDER BY o.client_id LIMIT $4::bigint") \
	X(ORDERS_GET_OF, ORDERS_SELECT \
	  " FROM orders o WHERE o.cycle_id = $3::text AND o.client_id > $1::text" \
	  " AND $2::text IS NOT NULL AND " OPEN_ONLY("o.cycle_id") " ORDER BY o.client_id LIMIT $4::bigint") \
	X(FILLS_GET, FILLS_SELECT " FROM fills f WHERE $3::text IS NOT NULL AND $5::bigint = 0 AND " FILLS_AFTER) \
	X(FILLS_GET_OPEN, \
	  FILLS_SELECT " FROM cycles c JOIN orders o ON o.cycle_id = c.id JOIN fills f ON f.client_id = o.client_id" \
		       " WHERE c.closed_ns = 0 AND $3::text IS NOT NULL AND $5::bigint = 1 AND " FILLS_AFTER) \
	X(FILLS_GET_OF, FILLS_SELECT \
	  " FROM orders o JOIN fills f ON f.client_id = o.client_id WHERE o.cycle_id = $3::text AND " OPEN_ONLY( \
		  "o.cycle_id") " AND " FILLS_AFTER) \
	X(EVENTS_GET, "SELECT " EVENT_COLUMNS " FROM events WHERE (journal, position) > ($1::text, $2::bigint)" \
		      " AND $3::text IS NOT NULL AND $5::bigint = 0 ORDER BY journal, position LIMIT $4::bigint") \
	X(EVENTS_GET_OF, "SELECT " EVENT_COLUMNS " FROM events WHERE cycle_id = $3::text AND cycle_id <> ''" \
			 " AND (journal, position) > ($1::text, $2::bigint) AND $5::bigint = 0" \
			 " ORDER BY journal, position LIMIT $4::bigint") \
	X(OLD_CYCLES, "SELECT id FROM cycles WHERE closed_ns <> 0 AND closed_ns < $1::bigint ORDER BY closed_ns, id" \
		      " LIMIT $2::bigint FOR UPDATE") \
	X(OLD_ORDERS_HOLD, /* a statement of its own: the one that drops their fills sees what writers waited for have \
			      committed */ \
	  "SELECT count(*) FROM (SELECT FROM orders WHERE cycle_id = ANY ($1::text[]) FOR UPDATE) AS held") \
	X(OLD_FILLS_DROP, \
	  "DELETE FROM fills f USING orders o WHERE f.client_id = o.client_id AND o.cycle_id = ANY ($1::text[])") \
	X(OLD_ORDERS_DROP, "DELETE FROM orders WHERE cycle_id = ANY ($1::text[])") \
	X(OLD_EVENTS_DROP, "DELETE FROM events WHERE cycle_id = ANY ($1::text[]) AND cycle_id <> ''") \
	X(OLD_CYCLES_DROP, "DELETE FROM cycles WHERE id = ANY ($1::text[])") \
	X(LOOSE_ORDERS_HOLD, "SELECT count(*) FROM (SELECT FROM orders WHERE cycle_id IS NULL" \
			     " AND updated_ns < $1::bigint FOR UPDATE) AS held") \
	X(LOOSE_FILLS_DROP, \
	  "DELETE FROM fills f USING orders o WHERE f.client_id = o.client_id AND o.cycle_id IS NULL" \
	  " AND o.updated_ns < $1::bigint") \
	X(LOOSE_ORDERS_DROP, "DELETE FROM orders WHERE cycle_id IS NULL AND updated_ns < $1::bigint") \
	X(LOOSE_EVENTS_DROP, "DELETE FROM events WHERE cycle_id = '' AND time_ns < $1::bigint") \
	X(SLOTS_LOCK, /* a statement of its own: what comes after it sees what the last holder has committed */ \
	  "SELECT pg_advisory_xact_lock(hashtextextended('trigate slots ' || current_schema() || '/' || $1::text, 0))") \
	X(SLOTS_RESERVE, /* group, owner, limit, want, ms */ \
	  "WITH own AS (UPDATE slots SET expires_at = clock_timestamp() + $5::bigint * interval '1 ms'" \
	  " WHERE id IN (SELECT id FROM slots WHERE slot_group = $1::text AND owner = $2::text" \
	  " AND expires_at <= clock_timestamp() ORDER BY id LIMIT $4::bigint) RETURNING id)," \
	  " added AS (INSERT INTO slots (slot_group, owner, expires_at)" \
	  " SELECT $1::text, $2::text, clock_timestamp() + $5::bigint * interval '1 ms' FROM generate_series(1, least(" \
	  "$4::bigint - (SELECT count(*) FROM own)," \
	  " $3::bigint - (SELECT count(*) FROM slots WHERE slot_group = $1::text))) RETURNING id)" \
	  " SELECT id FROM own UNION ALL SELECT id FROM added ORDER BY id") \
	X(SLOTS_RENEW, \
	  "UPDATE slots SET expires_at = clock_timestamp() + $3::bigint * interval '1 ms' WHERE slot_group = $1::text" \
	  " AND owner = $2::text AND expires_at > clock_timestamp()") \
	X(SLOT_RELEASE, "DELETE FROM slots WHERE id = $3::bigint AND slot_group = $1::text AND owner = $2::text") \
	X(SLOTS_GET, \
	  "SELECT id, slot_group, owner, trunc(extract(epoch FROM expires_at - now) * 1000)::bigint, expires_at > now" \
	  " FROM slots, clock_timestamp() AS now WHERE $1::text = '' OR slot_group = $1::text ORDER BY id")

#define STATEMENT_CONST(name, sql) STATEMENT_##name,
enum statement { STATEMENT_TABLE(STATEMENT_CONST) STATEMENT_COUNT };
#undef STATEMENT_CONST

#endif
