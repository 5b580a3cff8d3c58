package graph

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"

	"windtunnel.test/fakeintune/tenant"
	wire "windtunnel.test/sim/wire/graph"
)

// addLogs: diagnostics of enrolled devices (learn.microsoft.com/graph,
// deviceLogCollectionResponse).
func (h *Handler) addLogs() {
	const path = "deviceManagement/managedDevices/{id}"
	h.handle(http.MethodPost, path+"/createDeviceLogCollectionRequest", managedDevices, requestLogs)
	h.handle(http.MethodGet, path+"/logCollectionRequests", managedDevices, func(c *call) (answer, error) {
		if _, err := c.t.Device(c.Params["id"]); err != nil {
			return answer{}, err
		}
		return list(c, each(c.t.LogCollections(c.Params["id"]), c.t.Shown), "id", "status")
	})
	h.handle(http.MethodGet, path+"/logCollectionRequests/{request}", managedDevices, func(c *call) (answer, error) {
		l, err := c.t.LogCollection(c.Params["id"], requestID(c))
		if err != nil {
			return answer{}, err
		}
		return one(c, http.StatusOK, c.t.Shown(l))
	})
	h.handle(http.MethodDelete, path+"/logCollectionRequests/{request}", managedDevices, func(c *call) (answer, error) {
		return noContent(c.t.DeleteLogs(c.Params["id"], requestID(c)))
	})
	h.handle(http.MethodPost, path+"/logCollectionRequests/{request}/createDownloadUrl", managedDevices, func(c *call) (answer, error) {
		url, err := c.t.LogDownload(c.Params["id"], requestID(c))
		if err != nil {
			return answer{}, err
		}
		return answer{http.StatusOK, struct {
			Context string `json:"@odata.context"`
			Value   string `json:"value"`
		}{fmt.Sprintf("https://%s/%s/$metadata#Edm.String", wire.Host, c.Version), url}}, nil
	})
}

func requestLogs(c *call) (answer, error) {
	var req wire.LogRequest
	if err := c.decodeOptional(&req); err != nil {
		return answer{}, err
	}
	if kind := req.TemplateType.TemplateType; kind != "" && kind != "predefined" {
		return answer{}, badRequest("template type", "The value '"+kind+"' is not a deviceLogCollectionTemplateType.")
	}
	l, err := c.t.RequestLogs(c.Context(), c.Params["id"], cmp.Or(c.from.UPN, c.from.AppID))
	if err != nil {
		return answer{}, err
	}
	return one(c, http.StatusOK, c.t.Shown(l))
}

// requestID is the collection's own part of its id.
func requestID(c *call) string {
	id := c.Params["request"]
	return id[strings.LastIndexByte(id, '_')+1:]
}

var _ = tenant.Automatic
