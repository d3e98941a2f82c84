package live

import (
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"
)

// Limits per client: connections, which use up descriptors of the training process, and time.

// patience is how long the server waits for a client.
type patience struct {
	header time.Duration // from connecting to the end of the request header
	answer time.Duration // for one write of a response
	stream time.Duration // for one event
	idle   time.Duration // between requests
}

var defaultPatience = patience{
	header: 5 * time.Second, answer: 10 * time.Second, stream: 20 * time.Second, idle: 10 * time.Second,
}

// spareConns is the number of connections allowed besides the event streams.
const spareConns = 64

// maxConns is the largest number of connections: enough for every stream, but no more than half of the descriptors that
// the process may open, since training needs some, too.
func maxConns(clients int) int {
	n := clients + spareConns
	if most := descriptors(); most > 0 {
		n = min(n, max(most/2, 1))
	}
	return n
}

// sendBuffer bounds what the kernel buffers for a client that does not read.
const sendBuffer = 128 << 10

// limited is a listener that immediately closes connections beyond a maximum number.
type limited struct {
	*net.TCPListener
	slots chan struct{}
}

func (l *limited) Accept() (net.Conn, error) {
	for {
		c, err := l.AcceptTCP()
		if err != nil {
			return nil, err
		}
		select {
		case l.slots <- struct{}{}:
			c.SetWriteBuffer(sendBuffer)
			return &counted{TCPConn: c, slots: l.slots}, nil
		default:
			c.Close()
		}
	}
}

// counted is a connection that releases its slot when it is closed.
type counted struct {
	*net.TCPConn
	slots chan struct{}
	once  sync.Once
}

func (c *counted) Close() error {
	c.once.Do(func() { <-c.slots })
	return c.TCPConn.Close()
}

// timed is a response with a deadline for each write: a client that does not read is disconnected.
type timed struct {
	http.ResponseWriter
	patience time.Duration
}

func (w *timed) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *timed) WriteHeader(code int) {
	w.extend()
	w.ResponseWriter.WriteHeader(code)
}

func (w *timed) Write(b []byte) (int, error) {
	w.extend()
	return w.ResponseWriter.Write(b)
}

func (w *timed) extend() {
	http.NewResponseController(w.ResponseWriter).SetWriteDeadline(time.Now().Add(w.patience))
}

// silent drops what net/http logs about clients: the terminal belongs to training.
var silent = log.New(io.Discard, "", 0)
