// Package live shows a training run in the browser while it happens.
//
// A Server listens on the loopback interface and serves one self-contained page: samples over data, the energy as
// heat map with contours and score arrows, the energy surface, which the mouse turns, curves of loss, gradient norm,
// KL, acceptance and step rate, and a scrubber over past frames. The page is embedded in the binary and asks nothing
// of any other host.
//
// The training loop holds the server by five calls, none of which waits for a client:
//
//	if srv.Gate(ctx) { … checkpoint and return }        // once per step; waits only while the run is paused
//	srv.Record(live.NewRecord(k, seconds, loss))        // whenever there is something to record
//	if srv.Wanted() { srv.Frame(live.Frame{…}) }        // somebody looks, and frames have cost little so far
//	srv.Later(k, make)                                  // at a few steps of the run, watched or not
//	srv.Done("finished")
//
// Without a viewer Wanted is an atomic load that says no. With one it says yes as often as keeps the cost of making
// frames, measured from Wanted to Frame, below Config.Share of the time. Offer does both. Later promises frames of
// steps that nobody watches: they are listed, and made one by one when a viewer who came late, or one who turns back,
// asks for them; that is charged to the same share. Serving has a pace of its own, of all clients together, so two
// hundred cost what a few cost.
//
// # Protocol
//
// GET / is the page. GET /events is a stream of server-sent events: "init" with the whole history (curves thinned to
// what is kept, the list of frames, the last frame), then "update" with what is new. A client that reads slowly gets
// fewer updates, each with all records and only the newest frame: nothing is queued for it. GET /frame/ID returns a
// past frame, which is made if it was only promised. POST /control {"action": "pause" | "resume" | "stop"} steers the
// run.
//
// A record is [step,seconds,loss,grad_norm,kl,accept,rate], with null for what is not known. A frame is
// {"id":…,"step":…,"t":…,"n":64,"min":…,"full":…,"e":"…","s":"…"}: n×n little-endian uint16 in base64, E = min +
// full·v/65535, clipped above; samples, as data, are pairs of uint16 over the box lo…hi, points outside left out.
//
// # Who may see it
//
// Every request needs the token, as the parameter of the printed address or as a bearer; without it nothing of the
// run is told. Requests under a host name that is not this server's are refused, too (DNS rebinding), as are those of
// foreign pages. An address that other machines reach is an error unless Config.Remote allows it: the connection is
// not encrypted.
//
// A client takes no more than its share. There are at most Config.MaxClients streams and a few connections besides,
// never more than half of the process's descriptors; what is over is closed at once. Each request, each write and
// each pause between requests has its deadline, so that who asks and does not read is gone in some ten seconds.
package live
