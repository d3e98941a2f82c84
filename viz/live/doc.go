// Package live shows a training run in the browser while it happens.
//
// A Server listens on the loopback interface and serves one self-contained page: samples over data, the energy as heat map
// with contours and score arrows, the energy surface, which the mouse turns, curves of loss, gradient norm, KL, acceptance and step rate, and a
// scrubber over past frames. The page is embedded in the binary and asks nothing of any other host.
//
// The training loop holds the server by five calls, none of which waits for a client:
//
//	if srv.Gate(ctx) { … checkpoint and return }        // once per step; waits only while the run is paused
//	srv.Record(live.NewRecord(k, seconds, loss))        // whenever there is something to record
//	if srv.Wanted() { srv.Frame(live.Frame{…}) }        // somebody looks, and frames have cost little so far
//	srv.Later(k, make)                                  // at a few steps of the run, watched or not
//	srv.Done("finished")
//
// Without a viewer Wanted is an atomic load that says no. With one it says yes as often as keeps the cost of making frames,
// measured from Wanted to Frame, below Config.Share of the time. Offer does both. Later promises frames of steps that nobody watches:
// they are listed, and made one by one when a viewer who came late, or one who turns back, asks for them; that is charged to the same share.
// Serving has a pace of its own, of all clients together, so two hundred cost what a few cost.
//
// # Protocol
//
// GET / is the page. GET /events is a stream of server-sent events: "init" with the whole history (curves thinned to what is
// kept, the list of frames, the last frame), then "update" with what is new. A client that reads slowly gets
// fewer updates, each with all records and only the newest frame: nothing is queued for it. GET /frame/ID returns a past frame, which is made
// if it was only promised. POST /control
// {"action": "pause" | "resume" | "stop"} needs the token as bearer.
//
// Requests whose Host is not an address of this server are refused (DNS rebinding), as are those whose Origin is another
// (foreign pages). The token travels in the fragment of the printed URL, which browsers do not send.
//
// # History file
//
// The history is kept in a file of JSON lines, format "stheno-live", version 1. The first line is the header (see Config):
//
//	{"format":"stheno-live","version":1,"title":…,"meta":{…},"steps":…,"lo":[…],"hi":[…],"data":"…"}
//
// The others hold one of
//
//	{"r":[step,seconds,loss,grad_norm,kl,accept,rate]}   numbers, or null where there is none
//	{"f":{"id":…,"step":…,"t":…,"n":64,"min":…,"full":…,"e":"…","s":"…"}}
//	{"end":"finished"}
//
// A frame's energies are n×n little-endian uint16 in base64, E = min + full·v/65535, clipped above; samples and data are pairs of
// uint16 over the box lo…hi, points outside left out. A torn last line is ignored. Open serves such a file again.
package live
