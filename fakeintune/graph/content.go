package graph

import (
	"encoding/json"
	"net/http"

	wire "windtunnel.test/sim/wire/graph"
)

// addContent: how an app's content comes in (learn.microsoft.com/graph,
// mobileAppContent, mobileAppContentFile): a version, its file, the storage
// address that the file's encrypted bytes go to, the commit. The segment of the
// app's type is written with its namespace, which routing drops.
func (h *Handler) addContent() {
	for _, kind := range []string{"win32LobApp", "windowsMobileMSI"} {
		versions := "deviceAppManagement/mobileApps/{id}/" + kind + "/contentVersions"
		files := versions + "/{version}/files"
		file := files + "/{file}"
		h.handle(http.MethodGet, versions, apps, func(c *call) (answer, error) {
			all, err := c.t.ContentVersions(c.Params["id"])
			if err != nil {
				return answer{}, err
			}
			return list(c, all)
		})
		h.handle(http.MethodPost, versions, apps, func(c *call) (answer, error) {
			v, err := c.t.NewContentVersion(c.Params["id"])
			return answer{http.StatusCreated, v}, err
		})
		h.handle(http.MethodGet, files, apps, func(c *call) (answer, error) {
			all, err := c.t.ContentFiles(c.Params["id"], c.Params["version"])
			if err != nil {
				return answer{}, err
			}
			return list(c, all)
		})
		h.handle(http.MethodPost, files, apps, func(c *call) (answer, error) {
			var f wire.ContentFile
			if err := c.decode(&f); err != nil {
				return answer{}, err
			}
			f, err := c.t.NewContentFile(c.Params["id"], c.Params["version"], f)
			return answer{http.StatusCreated, f}, err
		})
		h.handle(http.MethodGet, file, apps, func(c *call) (answer, error) {
			f, err := c.t.ContentFile(c.Params["id"], c.Params["version"], c.Params["file"])
			if err != nil {
				return answer{}, err
			}
			return one(c, http.StatusOK, f)
		})
		h.handle(http.MethodPost, file+"/renewUpload", apps, func(c *call) (answer, error) {
			return noContent(c.t.RenewUpload(c.Params["id"], c.Params["version"], c.Params["file"]))
		})
		h.handle(http.MethodPost, file+"/commit", apps, func(c *call) (answer, error) {
			var req wire.CommitRequest
			if err := c.decode(&req); err != nil {
				return answer{}, err
			}
			return noContent(c.t.CommitUpload(c.Context(), c.Params["id"], c.Params["version"], c.Params["file"], req.Encryption))
		})
	}
}

// publishContent is what committedContentVersion in the PATCH of an app does, once
// the PATCH has turned out good.
func publishContent(c *call, id string) (then func() error, err error) {
	var req struct {
		Version string `json:"committedContentVersion"`
	}
	if json.Unmarshal(c.body, &req) != nil || req.Version == "" {
		return nil, nil // what is wrong with the body, the merge says
	}
	return func() error { return c.t.PublishContent(c.Context(), id, req.Version) }, c.t.ContentReady(id, req.Version)
}
