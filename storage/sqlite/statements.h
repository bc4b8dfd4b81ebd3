/* The statements of the SQLite store, each prepared once on its first use: X(NAME, sql).
 *
 * Loading: ?1 and ?2 are the key to start behind, ?3 the cycle, ?4 the limit, ?5 whether only open cycles count. */
#ifndef TRIGATE_STORAGE_SQLITE_STATEMENTS_H
#define TRIGATE_STORAGE_SQLITE_STATEMENTS_H

#define CYCLE_COLUMNS \
	"id, strategy, exchange, state, route, currency, step, planned_in, planned_out, amount_in, amount_out," \
	" profit, deltas, reason, opened_ns, closed_ns"
#define ORDER_COLUMNS \
	"o.client_id, ifnull(o.cycle_id, ''), exchange_id, market, side, o.state, purpose, o.reason, leg, attempt," \
	" time_in_force, price, qty, filled_qty, filled_quote, created_ns, updated_ns"
#define FILL_COLUMNS "f.client_id, f.fill_id, f.price, f.qty, fee, fee_currency, time_ns"
#define EVENT_COLUMNS "journal, position, time_ns, kind, cycle_id, client_id, text"
#define OPEN_OR_ANY(cycle) "(?5 = 0 OR EXISTS (SELECT 1 FROM cycles WHERE id = " cycle " AND closed_ns = 0))"
/* The cycles that a step of a clean-up takes: the same for each of its statements, for it is one transaction. */
#define OLDEST "SELECT id FROM cycles WHERE closed_ns < ?1 AND closed_ns <> 0 ORDER BY closed_ns, id LIMIT ?2"

#define STATEMENT_TABLE(X) \
	X(BEGIN, "BEGIN IMMEDIATE") \
	X(COMMIT, "COMMIT") \
	X(ROLLBACK, "ROLLBACK") \
	X(POSITION_GET, "SELECT position FROM journals WHERE journal = ?1") \
	X(POSITION_SET, \
	  "INSERT INTO journals VALUES (?1, ?2) ON CONFLICT (journal) DO UPDATE SET position = excluded.position") \
	X(CYCLE_PUT, "INSERT INTO cycles (" CYCLE_COLUMNS ")" \
		     " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)" \
		     " ON CONFLICT (id) DO UPDATE SET strategy = excluded.strategy, exchange = excluded.exchange," \
		     " state = excluded.state, route = excluded.route, currency = excluded.currency," \
		     " step = excluded.step, planned_in = excluded.planned_in, planned_out = excluded.planned_out," \
		     " amount_in = excluded.amount_in, amount_out = excluded.amount_out, profit = excluded.profit," \
		     " deltas = excluded.deltas, reason = excluded.reason, opened_ns = excluded.opened_ns," \
		     " closed_ns = excluded.closed_ns") \
	X(ORDER_PUT, \
	  "INSERT INTO orders (client_id, cycle_id, exchange_id, market, side, state, purpose, reason, leg," \
	  " attempt, time_in_force, price, qty, filled_qty, filled_quote, created_ns, updated_ns)" \
	  " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)" \
	  " ON CONFLICT (client_id) DO UPDATE SET cycle_id = excluded.cycle_id," \
	  " exchange_id = excluded.exchange_id, market = excluded.market, side = excluded.side," \
	  " state = excluded.state, purpose = excluded.purpose, reason = excluded.reason, leg = excluded.leg," \
	  " attempt = excluded.attempt, time_in_force = excluded.time_in_force, price = excluded.price," \
	  " qty = excluded.qty, filled_qty = excluded.filled_qty, filled_quote = excluded.filled_quote," \
	  " created_ns = excluded.created_ns, updated_ns = excluded.updated_ns") \
	X(FILL_PUT, "INSERT INTO fills (client_id, fill_id, price, qty, fee, fee_currency, time_ns)" \
		    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (client_id, fill_id) DO UPDATE SET" \
		    " price = excluded.price, qty = excluded.qty, fee = excluded.fee," \
		    " fee_currency = excluded.fee_currency, time_ns = excluded.time_ns") \
	X(EVENT_PUT, "INSERT INTO events (" EVENT_COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)" \
		     " ON CONFLICT (journal, position) DO UPDATE SET time_ns = excluded.time_ns," \
		     " kind = excluded.kind, cycle_id = excluded.cycle_id, client_id = excluded.client_id," \
		     " text = excluded.text") \
	X(CYCLE_PROGRESS, "UPDATE cycles SET step = ?2, state = ?3, deltas = ?4, reason = ?5, amount_in = ?6," \
			  " amount_out = ?7, profit = ?8, closed_ns = ?9 WHERE id = ?1") \
	X(ORDER_PROGRESS, "UPDATE orders SET exchange_id = ?2, state = ?3, reason = ?4, filled_qty = ?5," \
			  " filled_quote = ?6, updated_ns = ?7 WHERE client_id = ?1") \
	X(CYCLES_GET, "SELECT " CYCLE_COLUMNS " FROM cycles WHERE id > ?1 ORDER BY id LIMIT ?4") \
	X(CYCLES_GET_OF, "SELECT " CYCLE_COLUMNS " FROM cycles" \
			 " WHERE id > ?1 AND id = ?3 AND (?5 = 0 OR closed_ns = 0) LIMIT ?4") \
	X(CYCLES_GET_OPEN, \
	  "SELECT " CYCLE_COLUMNS " FROM cycles WHERE closed_ns = 0 AND id > ?1 ORDER BY id LIMIT ?4") \
	X(ORDERS_GET, "SELECT " ORDER_COLUMNS " FROM orders o WHERE client_id > ?1 ORDER BY client_id LIMIT ?4") \
	X(ORDERS_GET_OF, "SELECT " ORDER_COLUMNS " FROM orders o WHERE cycle_id = ?3 AND client_id > ?1" \
			 " AND " OPEN_OR_ANY("?3") " ORDER BY client_id LIMIT ?4") \
	X(ORDERS_GET_OPEN, "SELECT " ORDER_COLUMNS " FROM cycles c CROSS JOIN orders o ON o.cycle_id = c.id" \
			   " WHERE c.closed_ns = 0 AND o.client_id > ?1 ORDER BY o.client_id LIMIT ?4") \
	X(FILLS_GET, "SELECT " FILL_COLUMNS " FROM fills f" \
		     " WHERE (client_id, fill_id) > (?1, ?2) ORDER BY client_id, fill_id LIMIT ?4") \
	X(FILLS_GET_OF, "SELECT " FILL_COLUMNS " FROM orders o CROSS JOIN fills f ON f.client_id = o.client_id" \
			" WHERE o.cycle_id = ?3 AND (f.client_id, f.fill_id) > (?1, ?2) AND " OPEN_OR_ANY( \
				"?3") " ORDER BY f.client_id, f.fill_id LIMIT ?4") \
	X(FILLS_GET_OPEN, "SELECT " FILL_COLUMNS " FROM cycles c CROSS JOIN orders o ON o.cycle_id = c.id" \
			  " CROSS JOIN fills f ON f.client_id = o.client_id WHERE c.closed_ns = 0" \
			  " AND (f.client_id, f.fill_id) > (?1, ?2) ORDER BY f.client_id, f.fill_id LIMIT ?4") \
	X(EVENTS_GET, "SELECT " EVENT_COLUMNS " FROM events" \
		      " WHERE (journal, position) > (?1, ?2) ORDER BY journal, position LIMIT ?4") \
	X(EVENTS_GET_OF, "SELECT " EVENT_COLUMNS " FROM events WHERE cycle_id = ?3 AND cycle_id <> ''" \
			 " AND (journal, position) > (?1, ?2) ORDER BY journal, position LIMIT ?4") \
	X(SLOT_RENEW_OWN, \
	  "UPDATE slots SET boot = ?3, expires_ns = ?4 WHERE slot_group = ?1 AND owner = ?2" \
	  " AND (boot <> ?3 OR expires_ns <= ?5) AND id IN (SELECT id FROM slots WHERE slot_group = ?1" \
	  " AND owner = ?2 AND (boot <> ?3 OR expires_ns <= ?5) ORDER BY id LIMIT ?6) RETURNING id") \
	X(SLOT_COUNT, "SELECT count(*) FROM slots WHERE slot_group = ?1") \
	X(SLOT_ADD, "INSERT INTO slots (slot_group, owner, boot, expires_ns) VALUES (?1, ?2, ?3, ?4)") \
	X(SLOT_RENEW, "UPDATE slots SET expires_ns = ?4 WHERE slot_group = ?1 AND owner = ?2 AND boot = ?3" \
		      " AND expires_ns > ?5") \
	X(SLOT_RELEASE, "DELETE FROM slots WHERE slot_group = ?1 AND owner = ?2 AND id = ?3") \
	X(SLOTS_GET, "SELECT id, slot_group, owner, boot, expires_ns FROM slots" \
		     " WHERE ?1 = '' OR slot_group = ?1 ORDER BY id") \
	X(CLEANUP_FILLS, "DELETE FROM fills WHERE client_id IN" \
			 " (SELECT client_id FROM orders WHERE cycle_id IN (" OLDEST "))") \
	X(CLEANUP_ORDERS, "DELETE FROM orders WHERE cycle_id IN (" OLDEST ")") \
	X(CLEANUP_EVENTS, "DELETE FROM events WHERE cycle_id <> '' AND cycle_id IN (" OLDEST ")") \
	X(CLEANUP_CYCLES, "DELETE FROM cycles WHERE id IN (" OLDEST ")") \
	X(CLEANUP_LOOSE, "DELETE FROM events WHERE (journal, position) IN (SELECT journal, position FROM events" \
			 " WHERE cycle_id = '' AND time_ns < ?1 ORDER BY time_ns LIMIT ?2)") \
	X(PING, "SELECT count(*) FROM (SELECT 1 FROM sqlite_schema LIMIT 1)")

#define STATEMENT_CONST(name, sql) STATEMENT_##name,
enum statement { STATEMENT_TABLE(STATEMENT_CONST) STATEMENT_COUNT };
#undef STATEMENT_CONST

#endif
