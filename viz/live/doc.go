// Package live shows a training run in the browser as it happens.
//
// A Server listens on the loopback interface and serves one self-contained page: samples over data, the energy as a
// heat map with contours and score arrows, the energy surface (drag to rotate), curves of loss, gradient norm, KL,
// acceptance and step rate, and a slider over past frames. The page is embedded in the binary and contacts no other
// host.
//
// The training loop makes five calls, none of which waits for a client:
//
//	if srv.Gate(ctx) { … checkpoint and return }        // once per step; waits only while the run is paused
//	srv.Record(live.NewRecord(k, seconds, loss))        // whenever there is something to record
//	if srv.Wanted() { srv.Frame(live.Frame{…}) }        // somebody is watching, and frames have cost little so far
//	srv.Later(k, make)                                  // at a few steps of the run, watched or not
//	srv.Done("finished")
//
// Without a viewer, Wanted is an atomic load that returns false. With one, it returns true as often as keeps the cost
// of making frames, measured from Wanted to Frame, below Config.Share of the time. Offer does both. Later promises
// frames of steps that nobody is watching: they are listed, and made one by one when a viewer asks for them, at the
// expense of the same share. Events go out at a limited rate for all clients together, so two hundred cost as much as a
// few.
//
// # Protocol
//
// GET / is the page. GET /events is a stream of server-sent events: "init" with the whole history (curves thinned to
// what is kept, the list of frames, the last frame), then "update" with what is new. A slow reader gets fewer updates,
// each with all records and only the newest frame: nothing is queued for it. GET /frame/ID returns a past frame, making
// it if it was only promised. POST /control {"action": "pause" | "resume" | "stop"} controls the run.
//
// A record is [step,seconds,loss,grad_norm,kl,accept,rate], with null for unknown values. A frame is
// {"id":…,"step":…,"t":…,"n":64,"min":…,"full":…,"e":"…","s":"…"}: n×n little-endian uint16 in base64, E = min +
// full·v/65535, clipped above; samples, like data, are pairs of uint16 over the box lo…hi, points outside it omitted.
//
// # Access
//
// Every request needs the token, as a parameter of the printed address or as a bearer token; without it nothing about
// the run is revealed. Requests for a host name that is not this server's are refused, too (DNS rebinding), as are
// those from other origins. An address reachable from other machines is an error unless Config.Remote allows it: the
// connection is not encrypted.
//
// Resources per client are bounded. There are at most Config.MaxClients streams and a few other connections, never more
// than half of the process's descriptors; connections beyond that are closed immediately. Each request, each write and
// each idle period between requests has a deadline, so a client that does not read is disconnected within some ten
// seconds.
//
// There is an example of [Server].
package live
