/* The manifest: in the note that the plugin carries, and as text for who links the connector instead of loading it. */
#include "exchanges/binance/plugin.h"

TG_MANIFEST({
	"id" : "binance",
	"kind" : "exchange",
	"version" : "0.1.0",
	"abi" : "0.1",
	"description" : "Binance Spot: market streams, orders over the WebSocket API",
	"licence" : "MIT",
	"capabilities" : {
		"client_id" : {"alphabet" : "alnum-_", "max_length" : 36, "unique" : "open"},
		"lookup" : [ "client_id", "exchange_id", "listing", "symbol" ],
		"lookup_days" : 90,
		"validity_bound" : true,
		"lag_ms" : 10000,
		"fills" : "each",
		"simulated" : false
	},
	"config" : {
		"type" : "object",
		"additionalProperties" : false,
		"properties" : {
			"network" : {
				"type" : "string",
				"enum" : [ "live", "test" ],
				"default" : "live",
				"description" :
					"live: api.binance.com; test: Binance's Spot test network, with its own keys"
			},
			"rest_url" : {
				"type" : "string",
				"maxLength" : 250,
				"default" : "",
				"description" : "https://HOST[:PORT] of the REST API instead of the network's"
			},
			"stream_url" : {
				"type" : "string",
				"maxLength" : 250,
				"default" : "",
				"description" : "wss://HOST[:PORT] of the market streams instead of the network's"
			},
			"api_url" : {
				"type" : "string",
				"maxLength" : 250,
				"default" : "",
				"description" :
					"wss://HOST[:PORT]/ws-api/v3 of the WebSocket API instead of the network's"
			},
			"key" : {
				"type" : "string",
				"maxLength" : 64,
				"default" : "",
				"description" :
					"name of a key under the gateway's keys; empty: market data only, no orders"
			},
			"stream" : {
				"type" : "string",
				"enum" : [ "bookTicker", "depth", "depth5", "depth10", "depth20" ],
				"default" : "bookTicker",
				"description" :
					"bookTicker: best bid and ask at once; depth: whole books by changes; depthN: the best N levels"
			},
			"speed" : {
				"type" : "string",
				"enum" : [ "100ms", "1000ms" ],
				"default" : "100ms",
				"description" : "how often depth streams tell; bookTicker tells each change"
			},
			"recv_window_ms" : {
				"type" : "integer",
				"minimum" : 1,
				"maximum" : 60000,
				"default" : 5000,
				"description" : "how old a signed request may be when it gets there"
			},
			"taker_bps" : {
				"type" : "number",
				"minimum" : 0,
				"maximum" : 9999,
				"default" : 10,
				"description" : "fee of a taker in basis points, until the account's is known"
			},
			"maker_bps" : {
				"type" : "number",
				"minimum" : 0,
				"maximum" : 9999,
				"default" : 10,
				"description" : "fee of a maker in basis points, until the account's is known"
			},
			"allow_withdrawals" : {
				"type" : "boolean",
				"default" : false,
				"description" : "trade with a key that may also withdraw"
			}
		}
	}
});

const char *const binance_manifest = tg_manifest_note.json;
