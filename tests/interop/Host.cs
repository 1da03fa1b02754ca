// Serves a folder's .asmx files by ASP.NET on a free loopback port, until standard input ends.

using System;
using System.Collections.Generic;
using System.IO;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Threading;
using System.Web;
using System.Web.Hosting;

public class Program
{
    public static void Main(string[] arguments)
    {
        var host = (Host)ApplicationHost.CreateApplicationHost(typeof(Host), "/", arguments[0]);
        Console.WriteLine(host.Start());
        Console.In.ReadToEnd();
        // Not by returning: what requests are still under way would be waited for.
        Environment.Exit(0);
    }
}

// Lives in ASP.NET's own application domain.
public class Host : MarshalByRefObject
{
    HttpListener listener;

    public override object InitializeLifetimeService()
    {
        return null; // for ever, not five minutes
    }

    // Listens, and returns the port.
    public int Start()
    {
        // The pool adds threads slowly beyond this, and a test waits in many.
        ThreadPool.SetMinThreads(64, 64);
        for (var attempt = 1; ; attempt++)
        {
            int port = FreePort();
            listener = new HttpListener();
            listener.Prefixes.Add("http://127.0.0.1:" + port + "/");
            try
            {
                listener.Start();
            }
            catch (SystemException)
            {
                // Somebody else has taken it meanwhile.
                if (attempt == 10)
                    throw;
                continue;
            }
            new Thread(Accept) { IsBackground = true }.Start();
            return port;
        }
    }

    static int FreePort()
    {
        var finder = new TcpListener(IPAddress.Loopback, 0);
        finder.Start();
        int port = ((IPEndPoint)finder.LocalEndpoint).Port;
        finder.Stop();
        return port;
    }

    void Accept()
    {
        while (true)
        {
            HttpListenerContext context = listener.GetContext();
            ThreadPool.QueueUserWorkItem(_ => Serve(context));
        }
    }

    static void Serve(HttpListenerContext context)
    {
        try
        {
            HttpRuntime.ProcessRequest(new Exchange(context));
        }
        catch (Exception problem)
        {
            Console.Error.WriteLine(problem);
            context.Response.Abort();
        }
    }
}

// One request and its answer, as ASP.NET wants to see them.
public class Exchange : SimpleWorkerRequest
{
    readonly HttpListenerRequest request;
    readonly HttpListenerResponse response;
    readonly byte[] sent;
    readonly MemoryStream answer = new MemoryStream();
    readonly string file;
    readonly string pathInfo;

    public Exchange(HttpListenerContext context) : base("", "", TextWriter.Null)
    {
        request = context.Request;
        response = context.Response;
        var body = new MemoryStream();
        request.InputStream.CopyTo(body);
        sent = body.ToArray();
        string path = request.Url.AbsolutePath;
        int end = path.IndexOf(".asmx/");
        file = end < 0 ? path : path.Substring(0, end + 5);
        pathInfo = path.Substring(file.Length);
    }

    public override string GetHttpVerbName() { return request.HttpMethod; }
    public override string GetHttpVersion() { return "HTTP/1.1"; }
    public override string GetRawUrl() { return request.RawUrl; }
    public override string GetUriPath() { return request.Url.AbsolutePath; }
    public override string GetFilePath() { return file; }
    public override string GetFilePathTranslated() { return MapPath(file); }
    public override string GetPathInfo() { return pathInfo; }
    public override string GetQueryString() { return request.Url.Query.TrimStart('?'); }
    public override byte[] GetQueryStringRawBytes()
    {
        return Encoding.UTF8.GetBytes(GetQueryString());
    }
    public override string GetRemoteAddress() { return "127.0.0.1"; }
    public override string GetLocalAddress() { return "127.0.0.1"; }
    public override string GetServerName() { return "127.0.0.1"; }
    public override int GetLocalPort() { return request.LocalEndPoint.Port; }

    public override string GetKnownRequestHeader(int index)
    {
        return request.Headers[GetKnownRequestHeaderName(index)];
    }

    public override string GetUnknownRequestHeader(string name)
    {
        return request.Headers[name];
    }

    public override string[][] GetUnknownRequestHeaders()
    {
        var unknown = new List<string[]>();
        foreach (string name in request.Headers)
            if (GetKnownRequestHeaderIndex(name) == -1)
                unknown.Add(new[] { name, request.Headers[name] });
        return unknown.ToArray();
    }

    public override byte[] GetPreloadedEntityBody() { return sent; }
    public override bool IsEntireEntityBodyIsPreloaded() { return true; }

    public override void SendStatus(int code, string description)
    {
        response.StatusCode = code;
        response.StatusDescription = description;
    }

    public override void SendKnownResponseHeader(int index, string value)
    {
        SendUnknownResponseHeader(GetKnownResponseHeaderName(index), value);
    }

    public override void SendUnknownResponseHeader(string name, string value)
    {
        // The listener sees to the length itself.
        if (name == "Content-Type")
            response.ContentType = value;
        else if (name != "Content-Length" && name != "Transfer-Encoding" && name != "Connection")
            response.AddHeader(name, value);
    }

    public override void SendResponseFromMemory(byte[] data, int length)
    {
        answer.Write(data, 0, length);
    }

    public override void FlushResponse(bool finalFlush)
    {
    }

    public override void EndOfRequest()
    {
        try
        {
            response.Close(answer.ToArray(), true);
        }
        catch (Exception problem)
        {
            // As a rule, the client has gone.
            Console.Error.WriteLine(problem);
            response.Abort();
        }
    }
}
